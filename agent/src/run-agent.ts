import { systemClock } from '@relay/common/clock'
import { createLog, type LogLevel } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import { createNotifier, loadNativeSend, prebuildFolders, watchdogIntervalMs } from 'node-systemd-notify'
import type { ErrorTexts } from './local-api/admin-command.ts'
import type { AgentConfig } from './config.ts'
import type { ReadConfig } from './read-config.ts'

export interface RunAgentOptions {
  readonly config: AgentConfig
  readonly apiDestination: string
  readonly requiresLocalApi: boolean
  /** Whose words the local API has; default v0.2. */
  readonly errorTexts?: ErrorTexts
  readonly logLevel: LogLevel
  readonly environment: Environment
  readonly signal: AbortSignal
  /** How to read the configuration anew, and who orders it; without it nothing can be reloaded. */
  readonly reload?: {
    readonly read: () => Promise<ReadConfig>
    readonly onOrder: (listener: () => void) => void
  }
}

/** Makes an agent of this process and runs it until `signal` aborts. Its parts are loaded only now. */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const {
    config,
    apiDestination,
    requiresLocalApi,
    errorTexts = 'v0.2',
    logLevel,
    environment,
    signal,
    reload,
  } = options
  const { Agent } = await import('./agent.ts')
  const log = createLog({
    program: 'relay-agent',
    level: logLevel,
    journal: { environment, send: loadNativeSend(prebuildFolders()) },
  })
  const notifier = createNotifier({
    environment,
    onFault: (error) => log.warn({ error }, 'systemd cannot be told how the agent does'),
  })
  if (notifier.kind === 'spawn')
    log.warn(
      'the add-on for systemd is missing; the unit needs NotifyAccess=all for the program in its place',
    )
  const agent = new Agent(
    {
      config,
      apiDestination,
      requiresLocalApi,
      errorTexts,
      watchdogIntervalMs: watchdogIntervalMs(environment, process.pid),
    },
    { clock: systemClock, random: Math.random, log, environment, notifier },
  )
  reload?.onOrder(() => void agent.reload(reload.read))
  await agent.run(signal)
  log.info('agent has stopped')
}
