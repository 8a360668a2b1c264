type Environment = Readonly<Record<string, string | undefined>>

/** Settings of the old programs that have no meaning here. */
const meaningless: Readonly<Record<string, string>> = {
  RELAY_BUFFER_SIZE: 'limits are in bytes now, see relay.maxBufferedBytes',
  RELAY_LOG_FORMAT: 'the log is JSON',
  RELAY_LOG_FILE: 'the log goes to stdout, where journald keeps it',
  RELAY_PROFILE: 'there is no profiler in the relay',
  RELAY_PORT_PROFILE: 'there is no profiler in the relay',
}

/** Log levels of the old programs that are called otherwise here. */
const levelNames: Readonly<Record<string, string>> = { panic: 'fatal', warning: 'warn' }

/**
 * Puts values of the old programs' variables into our words (spec session 2.1 and 10.2), and names those that mean
 * nothing here, each with a reason. Other variables pass as they are. Pure.
 */
export function oldEnvironment(environment: Environment): {
  readonly environment: Environment
  readonly ignored: readonly string[]
} {
  const given = (name: string): boolean => (environment[name] ?? '') !== ''
  const translated: Record<string, string | undefined> = { ...environment }
  const level = environment['RELAY_LOG_LEVEL']?.toLowerCase()
  if (level !== undefined) translated['RELAY_LOG_LEVEL'] = levelNames[level] ?? level
  if (isTrue(environment['RELAY_DEVELOPMENT']) && !given('RELAY_LOG_LEVEL'))
    translated['RELAY_LOG_LEVEL'] = 'debug'
  return {
    environment: translated,
    ignored: Object.entries(meaningless)
      .filter(([name]) => given(name) && !isExpected(name, environment[name] ?? ''))
      .map(([name, reason]) => `${name}: ${reason}`),
  }
}

/** Values that ask for what is done anyway. */
function isExpected(name: string, value: string): boolean {
  if (name === 'RELAY_LOG_FILE') return value === 'stdout'
  if (name === 'RELAY_LOG_FORMAT') return value.toLowerCase() === 'json'
  return name === 'RELAY_PROFILE' && !isTrue(value)
}

function isTrue(value: string | undefined): boolean {
  return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value ?? '')
}
