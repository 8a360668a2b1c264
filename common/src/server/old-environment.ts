import { isGoTrue } from '../go-value.ts'
import { logLevels } from '../log.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What the variables of one old program begin with, and what ours do. */
export interface OldEnvironmentNames {
  /** `RELAY`: `RELAY_LOG_LEVEL`, `RELAY_BUFFER_SIZE` and so on. */
  readonly oldPrefix: string
  /** Of the settings of ours: `RELAY` too, or another one. */
  readonly ownPrefix: string
  /** Our setting in place of the number of messages that a queue could hold. */
  readonly bufferSetting: string
}

/** Settings of the old programs that have no meaning here. */
const meaningless = (bufferSetting: string): Readonly<Record<string, string>> => ({
  BUFFER_SIZE: `limits are in bytes now, see ${bufferSetting}`,
  LOG_FORMAT: 'the log is JSON',
  LOG_FILE: 'the log goes to stdout, where journald keeps it',
  PROFILE: 'there is no profiler in the relay',
  PORT_PROFILE: 'there is no profiler in the relay',
})

/** Log levels of the old programs that are called otherwise here. */
const levelNames: Readonly<Record<string, string>> = { panic: 'fatal', warning: 'warn' }

/**
 * Puts values of an old program's variables into our words (spec session 2.1 and 10.2, spec shell 2 and 9.3), and names
 * those that mean nothing here, each with a reason. Other variables pass as they are. Pure.
 */
export function oldEnvironment(
  environment: Environment,
  { oldPrefix, ownPrefix, bufferSetting }: OldEnvironmentNames,
): { readonly environment: Environment; readonly ignored: readonly string[] } {
  const given = (name: string): boolean => (environment[name] ?? '') !== ''
  const oldLevel = `${oldPrefix}_LOG_LEVEL`
  const ownLevel = `${ownPrefix}_LOG_LEVEL`
  const translated: Record<string, string | undefined> = { ...environment }
  const givenLevel = environment[given(ownLevel) ? ownLevel : oldLevel]?.toLowerCase() ?? ''
  const level = levelNames[givenLevel] ?? givenLevel
  // One that is none stays where it stands, and is refused under that name.
  if (logLevels.some((known) => known === level)) translated[ownLevel] = level
  else if (givenLevel === '' && isGoTrue(environment[`${oldPrefix}_DEVELOPMENT`]))
    translated[ownLevel] = 'debug'
  return {
    environment: translated,
    ignored: Object.entries(meaningless(bufferSetting))
      .map(([word, reason]) => ({ word, name: `${oldPrefix}_${word}`, reason }))
      .filter(({ word, name }) => given(name) && !isExpected(word, environment[name] ?? ''))
      .map(({ name, reason }) => `${name}: ${reason}`),
  }
}

/** Values that ask for what is done anyway. */
function isExpected(word: string, value: string): boolean {
  if (word === 'LOG_FILE') return value === 'stdout'
  if (word === 'LOG_FORMAT') return value.toLowerCase() === 'json'
  return word === 'PROFILE' && !isGoTrue(value)
}
