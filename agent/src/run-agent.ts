import { systemClock } from '@relay/common/clock'
import { createLog, type LogLevel } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import { loadNativeSend, prebuildFolders } from 'node-systemd-notify'
import type { ErrorTexts } from './local-api/admin-command.ts'
import type { AgentConfig } from './config.ts'

export interface RunAgentOptions {
  readonly config: AgentConfig
  readonly apiDestination: string
  readonly requiresLocalApi: boolean
  /** Whose words the local API has; default v0.2. */
  readonly errorTexts?: ErrorTexts
  readonly logLevel: LogLevel
  readonly environment: Environment
  readonly signal: AbortSignal
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
  } = options
  const { Agent } = await import('./agent.ts')
  const log = createLog({
    program: 'relay-agent',
    level: logLevel,
    journal: { environment, send: loadNativeSend(prebuildFolders()) },
  })
  const agent = new Agent(
    { config, apiDestination, requiresLocalApi, errorTexts },
    { clock: systemClock, random: Math.random, log, environment },
  )
  await agent.run(signal)
  log.info('agent has stopped')
}
