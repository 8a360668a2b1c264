import type { Command, Process } from '@relay/common/command-line'
import { commandLineOptions, redactedConfig } from '@relay/common/config/document-config'
import { exitCode } from '@relay/common/errors'
import { configFileOption, readSources } from '@relay/common/server/config-sources'
import { missingVariables, type RequiredVariable } from '@relay/common/server/missing-variables'
import { serve } from '@relay/common/server/serve'
import { favourThroughput } from '@relay/common/tunnel/favour-throughput'
import { endAtTakenPort } from '../taken-port.ts'
import { type Generation, loadShellRelayConfig, type ShellRelayConfig, shellRelaySpec } from './config.ts'

/** Options of every command that reads the configuration. */
export const relayOptions = {
  ...configFileOption,
  ...commandLineOptions(shellRelaySpec),
} as const satisfies Command['options']

/** How a command speaks: the old programs' way to say what is missing, and whose defaults it has. */
export interface ServeWords {
  readonly usage: string
  readonly generation: Generation
  /** Of the program whose exit codes count. */
  readonly oldName: string | undefined
  /** Lines for what is missing and comes by variable alone; none where our own sentences say it. */
  readonly tellMissing: (names: readonly string[]) => readonly string[]
  readonly required: readonly RequiredVariable[]
}

const secretNames = ['SHELLRELAY_SECRET_FILES', 'SHELLRELAY_KEY_DIRECTORY'] as const

/** `shell relay`: v0.2.2 names the first thing that is missing (spec shell 2). */
export const shellRelayWords: ServeWords = {
  usage: 'relay',
  generation: 'shell',
  oldName: 'shell',
  tellMissing: ([first = '']) => [`${first} not set`],
  required: [
    ['SHELLRELAY_SECRET', 'JUMP_RELAY_SECRET', ...secretNames],
    ['SHELLRELAY_ACCESSFQDN', 'SHELLRELAY_AUDIENCE', 'JUMP_RELAY_AUDIENCE'],
    ['SHELLRELAY_RELAYFQDN', 'SHELLRELAY_URL', 'JUMP_RELAY_URL'],
  ],
}

/** `jump relay`: the successor names everything that is missing (spec shell 9.3). */
export const jumpRelayWords: ServeWords = {
  usage: 'relay',
  generation: 'jump',
  oldName: 'jump',
  tellMissing: (names) => names.map((name) => `You must set ${name}`),
  required: [
    ['JUMP_RELAY_AUDIENCE', 'SHELLRELAY_AUDIENCE', 'SHELLRELAY_ACCESSFQDN'],
    ['JUMP_RELAY_SECRET', 'SHELLRELAY_SECRET', ...secretNames],
    ['JUMP_RELAY_URL', 'SHELLRELAY_URL', 'SHELLRELAY_RELAYFQDN'],
  ],
}

/** `shell serve`: ours. */
export const serveWords: ServeWords = {
  usage: 'serve',
  generation: 'jump',
  oldName: undefined,
  tellMissing: () => [],
  required: [],
}

/** Runs the shell relay until a signal comes. */
export function serveCommand(words: ServeWords): Command {
  return {
    usage: words.usage,
    description:
      words.usage === 'serve'
        ? 'run the shell relay: access API and websocket relay'
        : 'the same, with the names and defaults of the old program',
    options: relayOptions,
    run: async (args, process) => {
      const sources = await readSources(args, process)
      const missing = missingVariables(shellRelaySpec, sources, words.required)
      if (missing.length > 0) {
        for (const line of words.tellMissing(missing)) process.stdout.write(`${line}\n`)
        return exitCode.failed
      }
      const config = loadShellRelayConfig(words.generation, sources)
      const { oldName } = words
      if (oldName === undefined) return await start(config, process)
      return await start(config, process).catch((error: unknown) => endAtTakenPort(oldName, error, process))
    },
  }
}

async function start(config: ShellRelayConfig, process: Process): Promise<number> {
  favourThroughput()
  return await serve(
    {
      program: 'shell',
      logLevel: config.logLevel,
      drainWithinMs: config.drainWithin,
      ignoredSettings: config.ignoredSettings,
      facts: { generation: config.generation, settings: redactedConfig(shellRelaySpec, config.given) },
      create: async (deps) => {
        // Only here: the other commands start without the servers and their libraries.
        const { ShellRelay } = await import('./shell-relay.ts')
        return await ShellRelay.create(config, deps)
      },
    },
    process,
  )
}
