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

/** Exit codes of every program, after sysexits.h; 78 is what the units put in `RestartPreventExitStatus`. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  bug: 70,
  config: 78,
} as const

/** One sentence about anything that was thrown: the message, and the message of its cause where that says more. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const nested: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  const own = error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message
  if (nested === undefined) return own
  const inner = describeError(nested)
  return own.includes(inner) ? own : `${own}: ${inner}`
}

/** The stable code of an error of ours or of the system (`ECONNREFUSED`); undefined where there is none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Something outside of this program is missing or taken: a port, a device, another program. Exit code 69. */
export class UnavailableError extends AppError {}

/** The exit code that belongs to an error: 64, 78 and 69 by class, 1 for other expected ones, 70 for a bug. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCode.usage
  if (error instanceof ConfigError) return exitCode.config
  if (error instanceof UnavailableError) return exitCode.unavailable
  return error instanceof AppError ? exitCode.failed : exitCode.bug
}
