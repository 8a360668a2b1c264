import { readFile } from 'node:fs/promises'
import { pid as ownPid } from 'node:process'
import { systemClock } from '@relay/common/clock'
import type { Arguments, Command, Process } from '@relay/common/command-line'
import { commandLineOptions, redactedConfig } from '@relay/common/config/document-config'
import type { ConfigSources } from '@relay/common/config/load-config'
import { ConfigError, exitCode } from '@relay/common/errors'
import { createLog } from '@relay/common/log'
import { createNotifier, watchdogIntervalMs } from 'node-systemd-notify'
import { type Generation, loadRelayConfig, relaySpec } from './config.ts'
import { inheritedSockets } from './inherited-sockets.ts'
import { runRelay } from './run-relay.ts'

/** Options of every command that reads the configuration. */
export const configOptions = {
  config: { type: 'string', requiresArg: true, describe: 'YAML file with settings' },
  ...commandLineOptions(relaySpec),
} as const satisfies Command['options']

/** Runs the relay until a signal comes: `relay serve`, or `session relay` in the words of v0.2.2. */
export function serveCommand(usage: string, generation: Generation): Command {
  return {
    usage,
    description: 'run the relay: access API and websocket relay',
    options: configOptions,
    run: async (args, process) => {
      const sources = await readSources(args, process)
      const missing = generation === '0.9.3' ? missingAsBefore(sources) : []
      if (missing.length > 0) {
        for (const name of missing) process.stdout.write(`You must set ${name}\n`)
        return exitCode.failed
      }
      return await serve(loadRelayConfig(generation, sources), process)
    },
  }
}

async function serve(config: ReturnType<typeof loadRelayConfig>, process: Process): Promise<number> {
  const log = createLog({
    program: 'relay',
    level: config.logLevel,
    journal: { environment: process.environment },
  })
  for (const ignored of config.ignoredSettings) log.warn({ setting: ignored }, 'a setting means nothing here')
  // Only here: the other commands start without the servers and their libraries.
  const { Relay } = await import('./relay.ts')
  const { environment } = process
  const relay = await Relay.create(config, {
    clock: systemClock,
    log,
    credentialsDirectory: environment['CREDENTIALS_DIRECTORY'],
    sockets: inheritedSockets(environment, ownPid),
  })
  const ports = await relay.start()
  const settings = redactedConfig(relaySpec, config.given)
  log.info({ ports, generation: config.generation, settings }, 'relay started')
  const notifier = createNotifier({
    environment,
    onFault: (error) => log.warn({ error }, 'systemd cannot be told how the relay does'),
  })
  await runRelay(
    relay,
    {
      process,
      watchdogIntervalMs: watchdogIntervalMs(environment, ownPid),
      drainWithinMs: config.drainWithin,
    },
    { clock: systemClock, log, notifier },
  )
  log.info('relay stopped')
  return exitCode.ok
}

/** File, environment and arguments, as `--config` and the process give them. */
export async function readSources(args: Arguments, process: Process): Promise<ConfigSources> {
  const path = args['config']
  const file = typeof path === 'string' ? { path, text: await readConfigFile(path) } : undefined
  return { file, environment: process.environment, arguments: args }
}

async function readConfigFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('CONFIG_UNREADABLE', `the configuration file ${path} cannot be read`, { cause })
  }
}

/** Settings of ours that stand for a required one of the old program. */
const required: readonly (readonly [name: string, ...others: readonly string[]])[] = [
  ['RELAY_AUDIENCE', 'RELAY_ACCESSFQDN'],
  ['RELAY_URL', 'RELAY_RELAYFQDN'],
  ['RELAY_SECRET', 'RELAY_SECRET_FILES', 'RELAY_KEY_DIRECTORY'],
]

/**
 * The variables that 0.9.3 would ask for (spec session 10.2), where nothing but the environment configures us, so that
 * scripts around the old program still understand. With a file or an argument our own sentences tell more.
 */
function missingAsBefore({
  file,
  environment = {},
  arguments: given = {},
}: ConfigSources): readonly string[] {
  const isOurs =
    file !== undefined || Object.keys(commandLineOptions(relaySpec)).some((name) => given[name] !== undefined)
  if (isOurs) return []
  return required
    .filter((names) => names.every((name) => (environment[name] ?? '') === ''))
    .map(([name]) => name)
}
