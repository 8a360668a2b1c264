import type { Clock } from '@relay/common/clock'
import type { RetryPolicy } from '@relay/common/keep-connected'
import type { Link, LinkEvents, LinkSource } from '../link.ts'
import { type LineSettings, type ResetSettings, writeDeadlineMs } from '../tty/line-settings.ts'
import { connectWithinMs, type TcpTarget } from './connect-tcp.ts'
import { answerWithinMs, openRfc2217Link } from './rfc2217-link.ts'
import { openTcpLink } from './tcp-link.ts'

export interface NetSettings {
  readonly kind: 'tcp' | 'rfc2217'
  readonly target: TcpTarget
  readonly line: LineSettings
  readonly reset: ResetSettings
  readonly writeGraceMs: number
}

/** One for each setting, and as many for the lines. */
const answersAtOpening = 10

/** A serial line behind a server in the network, raw or with RFC 2217. */
export class NetSource implements LinkSource {
  readonly retryPolicy: RetryPolicy = { minMs: 300, maxMs: 3_000, stableAfterMs: 10_000 }
  readonly openWithinMs: number
  readonly #settings: NetSettings
  readonly #clock: Clock

  constructor(settings: NetSettings, { clock }: { readonly clock: Clock }) {
    this.#settings = settings
    this.#clock = clock
    const { lowMs, settleMs } = settings.reset
    this.openWithinMs = connectWithinMs + answersAtOpening * answerWithinMs + lowMs + settleMs
  }

  open(events: LinkEvents, signal: AbortSignal): Promise<Link> {
    const { kind, target, line, reset } = this.#settings
    const clock = this.#clock
    return kind === 'tcp'
      ? openTcpLink(target, events, { clock, signal })
      : openRfc2217Link({ target, line, reset, clock }, events, signal)
  }

  /** Nothing in a network tells that a server has come. */
  watch(): () => void {
    return () => undefined
  }

  writeWithinMs(bytes: number): number {
    return writeDeadlineMs(bytes, this.#settings.line, this.#settings.writeGraceMs)
  }
}
