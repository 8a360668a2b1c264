import type { Clock } from './clock.ts'

export interface StatusTellerDeps {
  readonly clock: Clock
  /** That of `node-systemd-notify`. */
  readonly notifier: { readonly kind: string; status(text: string): void }
  /** How the program does at this moment. */
  readonly line: () => string
}

const everyMs = 1_000

/** Tells systemd how the program does: on change, and once a second at most. */
export class StatusTeller {
  readonly #deps: StatusTellerDeps
  #told = ''

  constructor(deps: StatusTellerDeps) {
    this.#deps = deps
  }

  /** The line as it is now, for a message that says more than the status; it counts as told. */
  line(): string {
    this.#told = this.#deps.line()
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
