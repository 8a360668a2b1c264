import type { Clock } from '@relay/common/clock'
import type { Notifier } from 'node-systemd-notify'
import type { Fault } from '../fault.ts'
import { newestFault, type PartFault, statusLine } from './status-line.ts'
import type { StatusReport } from './status-report.ts'

export interface StatusTellerDeps {
  readonly clock: Clock
  readonly notifier: Pick<Notifier, 'kind' | 'status'>
  readonly report: () => StatusReport
  readonly configFault: () => Fault | undefined
}

const everyMs = 1_000

/** Tells systemd how the agent does: on change, and once a second at most. */
export class StatusTeller {
  readonly #deps: StatusTellerDeps
  #lastFault: PartFault | undefined
  #told = ''

  constructor(deps: StatusTellerDeps) {
    this.#deps = deps
  }

  /** The line as it is now; it counts as told. */
  line(): string {
    const { report, configFault } = this.#deps
    const now = report()
    this.#lastFault = newestFault(now, this.#lastFault)
    this.#told = statusLine({ report: now, lastFault: this.#lastFault, configFault: configFault() })
    return this.#told
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, notifier } = this.#deps
    // Nobody listens: then it costs nothing.
    if (notifier.kind === 'none') return
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal)
      if (signal.aborted) return
      const told = this.#told
      const line = this.line()
      if (line !== told) notifier.status(line)
    }
  }
}
