import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { exchangeToken } from '../exchange-token.ts'
import { type Fault, faultOf } from '../fault.ts'
import type { RetryPolicy } from '../keep-connected.ts'
import { keepConnectedByToken, type TokenAttempt } from '../keep-connected-by-token.ts'
import type { Log } from '../log.ts'
import { Progress } from '../progress.ts'
import type { Environment } from '../proxy.ts'
import { RetryLog } from '../retry-log.ts'
import type { TokenSource } from '../token-source.ts'
import { openLink } from '../tunnel/dial-link.ts'
import type { LinkEnd, LinkReceiver, TunnelLink } from '../tunnel/tunnel-link.ts'
import { closeCode } from '../tunnel/tunnel-protocol.ts'
import { explainTokenKind } from './explain-token-kind.ts'
import { type ManagerMessage, parseManagerMessage } from './manager-message.ts'
import type { ShellHostStatus } from './shell-host-status.ts'

export interface ShellManagerOptions {
  /** Session address. */
  readonly access: string
  /** The shell id, for the log. */
  readonly id: string
}

export interface ShellManagerDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Of the process, for its proxy. */
  readonly environment: Environment
  readonly token: TokenSource
  /** A client came or went; `address` is that of the manager. */
  readonly onClient: (message: Extract<ManagerMessage, { uuid: string }>, address: string) => void
  /** There is a relay of ours, which takes `tell`. */
  readonly onReady: () => void
  readonly openLink?: typeof openLink
  readonly exchange?: typeof exchangeToken
}

type State = ShellHostStatus['state']

/** Spec shell 5.5 waits 1, 2, 4, 8, 10 s; ours are as long on average, and no two hosts wait alike. */
const retryPolicy: RetryPolicy = {
  minMs: 1_000,
  maxMs: 10_000,
  stableAfterMs: 5_000,
  stableFrom: 'established',
}
const exchangeTimeoutMs = 10_000
const handshakeTimeoutMs = 15_000
/** Every step of its own ends long before, by a deadline: only a fault of ours takes this long. */
const stepWithinMs = 60_000
/** Nothing may come for months, but our own timers turn. */
const tickEveryMs = 1_000
const tickWithinMs = 20_000

/**
 * The link on which the relay tells who wants in. Kept for ever: a relay that says nothing for too long is dialled anew
 * (a link of ours after 15 s, of an old relay, which pings every 54 s, after 120 s), a new token is used at once.
 *
 * Invariants: one link at a time; what the relay says is parsed and bounded, and nothing of it is logged; sessions do not
 * depend on it.
 */
export class ShellManager {
  readonly progress: Progress
  readonly #options: ShellManagerOptions
  readonly #deps: ShellManagerDeps
  readonly #retries: RetryLog
  #state: State = 'starting'
  #link: TunnelLink | undefined
  #connects = 0
  #fault: Fault | undefined

  constructor(options: ShellManagerOptions, deps: ShellManagerDeps) {
    this.#options = options
    this.#deps = deps
    this.progress = new Progress(deps.clock)
    this.#retries = new RetryLog({ shell: options.id }, deps)
  }

  get status(): Pick<ShellHostStatus, 'state' | 'relay' | 'connects' | 'fault'> {
    const relay = this.#link === undefined ? undefined : this.#link.isTunnel ? 'ours' : 'old'
    return { state: this.#state, relay, connects: this.#connects, fault: this.#fault }
  }

  /** Says something to a relay of ours; others take nothing. */
  tell(text: string): void {
    if (this.#link?.isTunnel === true) this.#link.sendText(text)
  }

  /** Until `signal` aborts. Never rejects for a fault of the other end. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, log, token } = this.#deps
    const { id } = this.#options
    await keepConnectedByToken(
      (attempt, inner) => this.#connectOnce(attempt, inner),
      retryPolicy,
      {
        clock,
        random,
        token,
        onRetry: (retry) => {
          if (retry.error !== undefined) this.#fault = faultOf(retry.error, clock.nowMs())
          this.#enter('waiting', retry.delayMs + stepWithinMs)
          this.#retries.tell(retry, 'the shell relay is not connected, will be tried again')
        },
        onNewToken: () => log.info({ shell: id }, 'the token changed, connecting anew'),
        onGaveUp: (error) => {
          this.#fault = faultOf(error, clock.nowMs())
          this.#state = 'gave-up'
          this.progress.rest()
          log.error({ shell: id, error }, 'the shell host cannot work as it is configured')
        },
      },
      signal,
    )
    this.#state = 'stopped'
    this.progress.rest()
  }

  async #connectOnce({ readToken, accepted, established }: TokenAttempt, signal: AbortSignal): Promise<void> {
    const { clock, environment, openLink: open = openLink, exchange = exchangeToken } = this.#deps
    this.#enter('connecting', stepWithinMs)
    const { access } = this.#options
    const token = await readToken()
    const address = await exchange({ access, token, timeoutMs: exchangeTimeoutMs, signal, environment })
    accepted()
    const ended = Promise.withResolvers<LinkEnd>()
    const link = await open(address, {
      timeoutMs: handshakeTimeoutMs,
      signal,
      environment,
      clock,
      receiver: this.#receiver(address, ended.resolve),
    }).catch((error: unknown) => {
      throw explainTokenKind(error, { access, token })
    })
    this.#link = link
    this.#connects += 1
    this.#fault = undefined
    // It may have said `standby` in the packet of its 101.
    if (this.#state === 'connecting') this.#enter('live', tickWithinMs)
    established()
    this.#deps.log.info({ shell: this.#options.id, relay: this.status.relay }, 'the shell host is connected')
    this.#deps.onReady()
    try {
      const end = await this.#untilEnd(ended.promise, signal)
      if (end !== undefined) throw endedError(end)
    } finally {
      this.#link = undefined
      link.close(closeCode.ended, 'ended')
    }
  }

  async #untilEnd(ended: Promise<LinkEnd>, signal: AbortSignal): Promise<LinkEnd | undefined> {
    const { clock } = this.#deps
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    const tick = async (): Promise<undefined> => {
      while (!either.aborted) {
        this.progress.promise(tickWithinMs)
        await clock.sleep(tickEveryMs, either)
      }
    }
    return await Promise.race([ended, tick()]).finally(() => over.abort())
  }

  #receiver(address: string, onClosed: (end: LinkEnd) => void): LinkReceiver {
    const take = (data: Buffer): void => {
      const message = parseManagerMessage(data)
      switch (message?.kind) {
        case 'connect':
        case 'disconnect':
          this.#deps.onClient(message, address)
          break
        case 'standby':
          this.#enter('standby', tickWithinMs)
          this.#deps.log.warn({ shell: this.#options.id }, 'a newer host has taken this id; this one waits')
          break
        case 'active':
          this.#enter('live', tickWithinMs)
          this.#deps.log.info({ shell: this.#options.id }, 'the newer host has gone; this one is in charge')
          break
        default:
        // To be ignored (spec shell 5.2).
      }
    }
    return {
      // An old relay's messages come like this, whatever their opcode was.
      linkBytes: take,
      linkText: (text) => take(Buffer.from(text)),
      linkDrained: () => undefined,
      linkClosed: onClosed,
    }
  }

  #enter(state: State, withinMs: number): void {
    this.#state = state
    this.progress.promise(withinMs)
  }
}

function endedError({ code, reason }: LinkEnd): AppError {
  switch (code) {
    case closeCode.relayStopping:
      return new AppError('RELAY_CLOSED', 'the shell relay is stopping')
    case closeCode.tokenExpired:
      return new AppError('RELAY_CLOSED', 'the token has expired; a new one is needed')
    case closeCode.denied:
      return new AppError('RELAY_CLOSED', 'the relay denies the booking of the token')
    case closeCode.keyRetired:
      return new AppError('RELAY_CLOSED', 'the key that signed the token was retired; a new token is needed')
    case 1006:
      return new AppError('RELAY_LOST', `the shell relay or the network dropped the connection: ${reason}`)
    default:
      return new AppError('RELAY_CLOSED', `the shell relay closed the connection (code ${code})`)
  }
}
