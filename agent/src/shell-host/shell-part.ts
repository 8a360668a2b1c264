import type { Clock } from '@relay/common/clock'
import { ConfigError } from '@relay/common/errors'
import { faultOf } from '@relay/common/fault'
import type { Log } from '@relay/common/log'
import { Progress } from '@relay/common/progress'
import type { Environment } from '@relay/common/proxy'
import { hostAndPort } from '@relay/common/shell-host/host-and-port'
import { parseShellAccess } from '@relay/common/shell-host/shell-access'
import type { ShellHost } from '@relay/common/shell-host/shell-host'
import type { ShellHostOptions } from '@relay/common/shell-host/shell-host-options'
import type { ShellHostStatus } from '@relay/common/shell-host/shell-host-status'
import type { TokenSource } from '@relay/common/token-source'
import type { Runner } from '../named-part.ts'

export interface ShellPartDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly environment: Environment
}

/** Loading takes seconds on a cold board; only a fault of ours takes this long. */
const loadWithinMs = 60_000

/** The shell host as a part of the agent. Its code is loaded only when it runs: it costs memory. */
export class ShellPart implements Runner {
  readonly #options: ShellHostOptions
  readonly #token: TokenSource
  readonly #deps: ShellPartDeps
  readonly #loading: Progress
  #host: ShellHost | undefined
  #isStopped = false
  #fault: ShellHostStatus['fault']

  constructor(options: ShellHostOptions, token: TokenSource, deps: ShellPartDeps) {
    this.#options = options
    this.#token = token
    this.#deps = deps
    this.#loading = new Progress(deps.clock)
  }

  get progress(): Progress {
    return this.#host?.progress ?? this.#loading
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#loading.promise(loadWithinMs)
    try {
      const { ShellHost: Host } = await import('@relay/common/shell-host/shell-host')
      this.#host = new Host(this.#options, { ...this.#deps, token: this.#token })
      await this.#host.run(signal)
    } catch (error) {
      // What a configuration can have wrong is found by its check; whatever else it is, the status tells it.
      this.#fault = faultOf(error, this.#deps.clock.nowMs())
      if (!(error instanceof ConfigError)) throw error
      this.#deps.log.error({ error }, 'the shell host cannot work as it is configured')
    } finally {
      this.#loading.rest()
      this.#isStopped = true
    }
  }

  status(): ShellHostStatus {
    return this.#host?.status() ?? this.#beforeLoaded()
  }

  #beforeLoaded(): ShellHostStatus {
    const access = parseShellAccess(this.#options.access)
    const { id, shown } = typeof access === 'string' ? { id: '', shown: '' } : access
    return {
      name: id,
      destination: shown,
      state: this.#isStopped ? 'stopped' : 'starting',
      relay: undefined,
      connects: 0,
      sshd: hostAndPort(this.#options.sshd),
      hostKeys: 0,
      sessions: [],
      openedSessions: 0,
      unreachableSessions: 0,
      resumedSessions: 0,
      refusedSessions: 0,
      lostSessions: 0,
      receivedBytes: 0,
      sentBytes: 0,
      fault: this.#fault,
    }
  }
}
