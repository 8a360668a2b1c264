import { describeError, errorCode } from './errors.ts'
import { withoutSecrets } from './log.ts'

/** The last thing that went wrong with a part, for status and metrics. Never holds a secret. */
export interface Fault {
  /** Stable code of ours or of the system. */
  readonly code: string
  readonly message: string
  /** Wall clock. */
  readonly atMs: number
}

/** A fault from anything that was thrown. */
export function faultOf(error: unknown, nowMs: number): Fault {
  return {
    code: errorCode(error) ?? 'UNEXPECTED',
    message: withoutSecrets(describeError(error)),
    atMs: nowMs,
  }
}
