import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Field names whose values never reach a log, at any depth up to three. */
const secretFields = ['token', 'code', 'secret', 'password', 'authorization', 'cookie', 'uri']
const redactedPaths = secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
/** What looks like a JWT or like a one-time code in an address is cut out of messages too. */
const secretTexts = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=[?&]code=)[^&\s"']+/g

export interface LogOptions {
  readonly program: string
  readonly level: LogLevel
  /** Default: stdout, where journald keeps it. */
  readonly destination?: DestinationStream
}

/**
 * A structured log: JSON lines with constant messages and facts as fields. Tokens, one-time codes and secrets are
 * removed, whether they come as a field of that name or inside a text.
 */
export function createLog({ program, level, destination }: LogOptions): Log {
  const options = {
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '(removed)' },
    // An object of a name of ours holds one error with its code; stacks only where something is a bug.
    serializers: { error: serializeError },
    hooks: { streamWrite: withoutSecrets },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** A log that keeps nothing, for tests and for commands that speak to a person. */
export function silentLog(): Log {
  return pino({ level: 'silent' })
}

/** `text` with everything that looks like a token or a one-time code cut out. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(secretTexts, '(removed)')
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, details } = error as Error & { code?: string; details?: unknown }
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(details === undefined ? {} : { details }),
    ...(code === undefined ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  }
}
