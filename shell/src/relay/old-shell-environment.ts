import { parseDurationMs } from '@relay/common/config/schema'
import { goInteger } from '@relay/common/go-value'
import { oldEnvironment } from '@relay/common/server/old-environment'

type Environment = Readonly<Record<string, string | undefined>>

const bufferSetting = 'relay.maxOldBufferedBytes'

/** Ports, which the old programs read as Go reads a whole number. */
const portNames = [
  'SHELLRELAY_ACCESSPORT',
  'SHELLRELAY_RELAYPORT',
  'JUMP_RELAY_PORT_ACCESS',
  'JUMP_RELAY_PORT_RELAY',
]
const statsName = 'JUMP_RELAY_STATS_EVERY'
/** The successor reports no more often. */
const leastStatsMs = 1000

/**
 * Puts values of both old programs' variables into our words (spec shell 2 and 9.3), and names those that mean nothing
 * here. Pure.
 */
export function oldShellEnvironment(environment: Environment): {
  readonly environment: Environment
  readonly ignored: readonly string[]
} {
  const shell = oldEnvironment(environment, {
    oldPrefix: 'SHELLRELAY',
    ownPrefix: 'SHELLRELAY',
    bufferSetting,
  })
  const jump = oldEnvironment(shell.environment, {
    oldPrefix: 'JUMP_RELAY',
    ownPrefix: 'SHELLRELAY',
    bufferSetting,
  })
  const translated: Record<string, string | undefined> = { ...jump.environment }
  for (const name of portNames) {
    const port = goInteger(environment[name] ?? '')
    if (port !== undefined) translated[name] = String(port)
  }
  const statsEvery = environment[statsName] ?? ''
  if (/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/.test(statsEvery) && parseDurationMs(statsEvery) < leastStatsMs)
    translated[statsName] = `${leastStatsMs}ms`
  return { environment: translated, ignored: [...shell.ignored, ...jump.ignored] }
}
