import { systemClock } from '@relay/common/clock'
import type { Command, Process } from '@relay/common/command-line'
import { ConfigError, describeError, exitCode } from '@relay/common/errors'
import { loadConfig } from '@relay/common/config/load-config'
import { type AgentConfig, agentConfigSpec } from '../config.ts'
import { fetchStatus, type StatusPlaces } from './fetch-status.ts'
import type { Health } from './judge-health.ts'
import { choosePaint } from './paint.ts'
import { statusText } from './status-text.ts'
import { watchStatus } from './watch-status.ts'

/** Exit codes of `relay-agent status` beside those of every program; documented in its README. */
export const statusExitCode = { allWell: exitCode.ok, notLive: 2, notReady: 3, notLinked: 4 } as const

/** The first of the three questions that is answered with no. Pure. */
export function statusExitCodeOf({ live, ready, linked }: Health): number {
  if (!live.ok) return statusExitCode.notLive
  if (!ready.ok) return statusExitCode.notReady
  return linked.ok ? statusExitCode.allWell : statusExitCode.notLinked
}

export interface StatusCommandParts {
  readonly options: NonNullable<Command['options']>
  /** The configuration that holds for these arguments. */
  readonly config: (
    args: Readonly<Record<string, unknown>>,
    environment: Process['environment'],
  ) => AgentConfig
}

/** `relay-agent status`: for people, `--json` for programs, `--watch` for both. */
export function statusCommand({ options, config }: StatusCommandParts): Command {
  return {
    usage: 'status',
    description: 'show how every part of the running agent does',
    options: {
      ...options,
      json: { describe: 'print it as JSON', type: 'boolean', default: false },
      watch: { describe: 'show it anew each second, until Ctrl-C', type: 'boolean', default: false },
    },
    run: async (args, { environment, stdout, stderr, signal }) => {
      const places = findPlaces({
        config: () => config(args, environment),
        // What was said on the command line, or in the environment, holds without the file as well.
        withoutFile: () => loadConfig(agentConfigSpec, { environment, arguments: args }),
        isNamed: args.config !== undefined,
        warn: (warning) => void stderr.write(`relay-agent: warning: ${warning}\n`),
      })
      const json = args.json === true
      const isTerminal = (stdout as Partial<NodeJS.WriteStream>).isTTY === true
      const paint = choosePaint({ isTerminal, environment })
      if (args.watch === true) {
        const fetch = (inner: AbortSignal) => fetchStatus(places, inner)
        const write = (text: string): void => {
          // Whoever stopped reading misses what it would read late.
          if ((stdout as Partial<NodeJS.WriteStream>).writableNeedDrain !== true) stdout.write(text)
        }
        await watchStatus({ json, isTerminal, paint }, { clock: systemClock, fetch, write }, signal)
        return exitCode.ok
      }
      const report = await fetchStatus(places, signal)
      stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : statusText(report, paint))
      return statusExitCodeOf(report.health)
    },
  }
}

interface PlaceSources {
  readonly config: () => AgentConfig
  readonly withoutFile: () => AgentConfig
  /** The file was named by who asks. */
  readonly isNamed: boolean
  readonly warn: (warning: string) => void
}

/**
 * A running agent can be asked even if its file has become wrong since, or may not be read by who asks: then it is
 * looked for in the usual place. A file that was named must be there.
 */
function findPlaces({ config, withoutFile, isNamed, warn }: PlaceSources): StatusPlaces {
  try {
    return placesOf(config())
  } catch (error) {
    if (isNamed || !(error instanceof ConfigError)) throw error
    if (!['CONFIG_FILE_MISSING', 'CONFIG_FILE_UNREADABLE'].includes(error.code)) warn(describeError(error))
    return placesOf(withoutFile())
  }
}

function placesOf({ status, metrics }: AgentConfig): StatusPlaces {
  return { socket: status.socket, metrics }
}
