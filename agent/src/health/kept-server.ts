import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import { keepConnected, type Retry, type RetryPolicy } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import { Progress } from '@relay/common/progress'
import { type Fault, faultOf } from '@relay/common/fault'
import type { Part } from '../part.ts'

/** A server that listens already. */
export interface OpenServer {
  /** False once nobody can reach it any more, such as a unix socket whose file was removed. */
  readonly isInPlace?: boolean
  close(): Promise<void>
}

/** How a server does. Holds no secret. */
export interface ServerStatus {
  readonly name: string
  readonly state: 'stopped' | 'opening' | 'served' | 'waiting'
  readonly fault: Fault | undefined
}

export interface KeptServerDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

const retryPolicy: RetryPolicy = { minMs: 1_000, maxMs: 60_000, stableAfterMs: 60_000 }
const lookEveryMs = 30_000
/** Beyond the longest wait of its own, so that only a hang breaks the promise. */
const graceMs = 30_000

/**
 * A server as a part: one that cannot be opened harms nothing else and is tried again; the log tells of each kind of
 * fault once.
 */
export class KeptServer implements Part {
  readonly name: string
  readonly progress: Progress
  readonly #open: () => Promise<OpenServer>
  readonly #deps: KeptServerDeps
  #state: ServerStatus['state'] = 'stopped'
  #fault: Fault | undefined

  constructor(name: string, open: () => Promise<OpenServer>, deps: KeptServerDeps) {
    this.name = name
    this.#open = open
    this.#deps = deps
    this.progress = new Progress(deps.clock)
  }

  status(): ServerStatus {
    return { name: this.name, state: this.#state, fault: this.#fault }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps
    const onRetry = ({ delayMs, error }: Retry): void => {
      this.progress.promise(delayMs + graceMs)
      if (this.#fault?.code !== (errorCode(error) ?? 'UNEXPECTED'))
        log.warn({ part: this.name, delayMs, error }, 'it cannot be served now, will be tried again')
      this.#fault = faultOf(error, clock.nowMs())
      this.#state = 'waiting'
    }
    try {
      await keepConnected((inner) => this.#serve(inner), retryPolicy, { clock, random, onRetry }, signal)
    } finally {
      this.#state = 'stopped'
      this.progress.rest()
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps
    this.progress.promise(lookEveryMs + graceMs)
    this.#state = 'opening'
    const server = await this.#open()
    this.#state = 'served'
    this.#fault = undefined
    try {
      while (!signal.aborted) {
        this.progress.promise(lookEveryMs + graceMs)
        await clock.sleep(lookEveryMs, signal)
        if (server.isInPlace === false)
          throw new AppError('SERVER_UNREACHABLE', `the file of the ${this.name} was removed by somebody`)
      }
    } finally {
      await server.close()
    }
  }
}
