import type { Command, Process } from '@relay/common/command-line'
import { commandLineOptions, redactedConfig } from '@relay/common/config/document-config'
import { exitCode } from '@relay/common/errors'
import { configFileOption, readSources } from '@relay/common/server/config-sources'
import { missingVariables, type RequiredVariable } from '@relay/common/server/missing-variables'
import { serve } from '@relay/common/server/serve'
import { type Generation, loadRelayConfig, type RelayConfig, relaySpec } from './config.ts'

/** Options of every command that reads the configuration. */
export const configOptions = {
  ...configFileOption,
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
      const missing = generation === '0.9.3' ? missingVariables(relaySpec, sources, required) : []
      if (missing.length > 0) {
        for (const name of missing) process.stdout.write(`You must set ${name}\n`)
        return exitCode.failed
      }
      return await start(loadRelayConfig(generation, sources), process)
    },
  }
}

async function start(config: RelayConfig, process: Process): Promise<number> {
  return await serve(
    {
      program: 'relay',
      logLevel: config.logLevel,
      drainWithinMs: config.drainWithin,
      ignoredSettings: config.ignoredSettings,
      facts: { generation: config.generation, settings: redactedConfig(relaySpec, config.given) },
      create: async (deps) => {
        // Only here: the other commands start without the servers and their libraries.
        const { Relay } = await import('./relay.ts')
        return await Relay.create(config, deps)
      },
    },
    process,
  )
}

/** Variables that 0.9.3 asks for (spec session 10.2). */
const required: readonly RequiredVariable[] = [
  ['RELAY_AUDIENCE', 'RELAY_ACCESSFQDN'],
  ['RELAY_URL', 'RELAY_RELAYFQDN'],
  ['RELAY_SECRET', 'RELAY_SECRET_FILES', 'RELAY_KEY_DIRECTORY'],
]
