export interface AppErrorOptions {
  readonly cause?: unknown
  /** Facts for the log. Never a secret, token or one-time code. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** Base of every error we throw on purpose. Switch on `code`; never on `message`. */
export class AppError extends Error {
  readonly code: string
  /** Retrying cannot help: bad token, bad configuration, revoked device. */
  readonly permanent: boolean = false
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, { cause, details = {} }: AppErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.details = details
  }
}

/** The configuration is wrong: nothing was started. Programs exit with 78 (`EX_CONFIG`). */
export class ConfigError extends AppError {
  override readonly permanent = true
}

/** The command line is wrong. Programs print the message and exit with 64 (`EX_USAGE`). */
export class UsageError extends AppError {
  override readonly permanent = true
  constructor(message: string, options?: AppErrorOptions) {
    super('USAGE', message, options)
  }
}

/** Something outside of this program is missing or taken: a port, a device, another program. Exit code 69. */
export class UnavailableError extends AppError {}

/** Exit codes of every program, after sysexits.h; 78 is what the units put in `RestartPreventExitStatus`. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  bug: 70,
  config: 78,
} as const

/** The exit code that belongs to an error: 64, 78 and 69 by class, 1 for other expected ones, 70 for a bug. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCode.usage
  if (error instanceof ConfigError) return exitCode.config
  if (error instanceof UnavailableError) return exitCode.unavailable
  return error instanceof AppError ? exitCode.failed : exitCode.bug
}

/** The stable code of an error of ours or of the system (`ECONNREFUSED`); undefined where there is none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Causes are followed no deeper than this: an error may be its own cause. */
const deepestCause = 5

/**
 * One sentence about anything that was thrown: the message, and the message of its cause where that says more. Takes
 * every value, whatever its shape.
 */
export function describeError(error: unknown): string {
  return describe(error, deepestCause)
}

function describe(error: unknown, depthLeft: number): string {
  if (!(error instanceof Error)) return describeThrown(error)
  const nested: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  const own = error.message === '' ? (errorCode(error) ?? error.name) : wordsFor(error)
  if (nested === undefined || depthLeft === 0) return own
  const inner = describe(nested, depthLeft - 1)
  if (own.includes(inner)) return own
  // Several addresses of one host failed: Node gives a bare `ECONNREFUSED` that wraps the telling ones.
  return inner.includes(own) ? inner : `${own}: ${inner}`
}

/** Where somebody else answers at an address, the libraries tell how they read it; a person wants to know that he does. */
function wordsFor(error: Error): string {
  if (errorCode(error)?.startsWith('HPE_') === true) return 'what answers there does not speak HTTP'
  const [, reason] = /:SSL routines:[^:]*:([^:]+):/.exec(error.message) ?? []
  return reason === undefined ? error.message : `there is no TLS as it should be (${reason})`
}

/** Of what is no `Error`: its text, or its `message` (the error event of a websocket has one). */
function describeThrown(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  const { message } = thrown as { readonly message?: unknown }
  return typeof message === 'string' && message !== '' ? message : 'something without a message was thrown'
}
