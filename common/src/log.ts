import { type DestinationStream, type Logger, pino } from 'pino'
import { errorCode } from './errors.ts'
import { journalLine, journalWriter, leadsToJournal, type SendDatagram } from './journal.ts'
import { LogStream } from './log-stream.ts'

export type Log = Logger
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LogOptions {
  readonly program: string
  readonly level: LogLevel
  /** Default: stdout. */
  readonly destination?: DestinationStream
  /** Where stdout leads into the journal of systemd, lines get their priority, and with `send` their fields. */
  readonly journal?: JournalOptions
}

export interface JournalOptions {
  /** Of the process: `JOURNAL_STREAM` is read. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Undefined where there is no way to send a datagram: then lines are text behind `<priority>`. */
  readonly send?: SendDatagram | undefined
}

/**
 * A structured log: JSON lines with constant messages and facts as fields. Tokens, one-time codes and secrets are
 * removed at any depth, whether they come as a field of such a name or inside a text. Give errors as `error`.
 */
export function createLog({ program, level, destination, journal }: LogOptions): Log {
  const options = {
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // `err` is what the library calls an error that is given alone.
    serializers: { error: serializeError, err: serializeError },
    hooks: { streamWrite: cleanLine },
  }
  if (destination !== undefined) return pino(options, destination)
  // Asking for the stream makes a pipe one that says "full" where it would block.
  const { fd } = process.stdout
  const isJournal = journal !== undefined && leadsToJournal(fd, journal.environment)
  const send = isJournal ? journal.send : undefined
  const stream = new LogStream({
    fd,
    maxBufferedBytes,
    ...(send === undefined ? {} : { write: journalWriter({ program, send }) }),
    onLost: (lines) => log.warn({ lines }, 'log lines were lost, nobody read them'),
  })
  process.once('exit', () => stream.flushForExit())
  const lines = { write: (line: string) => stream.write(journalLine(line)) }
  const log = pino(options, isJournal && send === undefined ? lines : stream)
  return log
}

/** Some thousand lines: more than a journal that is restarted takes in afterwards. */
const maxBufferedBytes = 1_048_576

/** A log that keeps nothing, for tests and for commands that speak to a person. */
export function silentLog(): Log {
  return pino({ level: 'silent' })
}

const removed = '(removed)'

/**
 * What looks like a JWT (its header begins with `{"`, or with `{` and a blank), complete or cut off, and like a
 * one-time code in an address or beside the word `code`. Every part takes what it looks at: linear.
 */
const secretTexts = new RegExp(
  [
    String.raw`eyJ[\w-]{8,}(?:\.[\w-]*){0,2}`,
    String.raw`\be[yw][Aok0][\w-]{16,}(?:\.[\w-]*){0,2}`,
    String.raw`(?<=(?:[?&]|\\u0026|%3[Ff]|%26)code(?:=|%3[Dd]))[^&\s"'\\]+`,
    String.raw`(?<=\b[Cc]ode\W{1,6})[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}`,
  ].join('|'),
  'g',
)

/** `text` with everything that looks like a token or a one-time code cut out. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(secretTexts, removed)
}

/** Names of fields whose values never reach a log: `token`, `accessToken`, `secrets`, `Authorization`, `uri`. */
const secretName = /(?:token|secret|password|passphrase|authorization|cookie|privatekey|uri)s?$/i
/** `code` is a one-time code, or a stable error code, or a number of a close or an exit. */
const codeName = /codes?$/i
const stableCode = /^[A-Z][A-Z0-9_]*$/
/** Most lines hold nothing of the kind and go out as they are. */
const suspiciousLine = new RegExp(
  `${secretName.source.replace('$', '"')}|${codeName.source.replace('$', '"')}`,
  'i',
)

/** A line of the log before it is written. Works on the finished line: nothing can reach the log around it. */
function cleanLine(line: string): string {
  if (!suspiciousLine.test(line)) return withoutSecrets(line)
  try {
    const eol = line.endsWith('\n') ? '\n' : ''
    return withoutSecrets(JSON.stringify(JSON.parse(line), cleanField)) + eol
  } catch {
    return withoutSecrets(line)
  }
}

function cleanField(name: string, value: unknown): unknown {
  // Numbers and booleans are counts and states (`tokens: 3`), never a secret.
  if (value === null || (typeof value !== 'string' && typeof value !== 'object')) return value
  if (secretName.test(name)) return value === '' ? value : removed
  if (!codeName.test(name)) return value
  return typeof value === 'string' && stableCode.test(value) ? value : removed
}

/** Causes are followed no deeper than this: an error may be its own cause. */
const deepestCause = 5

/** An error of ours with its code and facts; a stack only where there is no code, as that is a bug. */
function serializeError(error: unknown): unknown {
  return serialize(error, deepestCause)
}

function serialize(error: unknown, depthLeft: number): unknown {
  if (!(error instanceof Error)) return error
  const code = errorCode(error)
  const { details } = error as Error & { readonly details?: unknown }
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? { stack: error.stack } : { code }),
    ...(details === undefined ? {} : { details }),
    ...(cause === undefined || depthLeft === 0 ? {} : { cause: serialize(cause, depthLeft - 1) }),
  }
}
