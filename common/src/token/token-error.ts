import { AppError } from '../errors.ts'

export type TokenFault =
  | 'malformed'
  | 'bad-algorithm'
  | 'unknown-key'
  | 'bad-signature'
  | 'expired'
  | 'not-yet-valid'
  | 'incomplete'
  | 'wrong-audience'
  | 'beyond-policy'

/**
 * A token was refused. `code` is `TOKEN_` and the fault. The message never holds any part of the token, but for the
 * topic or scope of one whose signature fits and that goes beyond the policy of its key.
 */
export class TokenError extends AppError {
  override readonly permanent = true
  readonly fault: TokenFault

  constructor(fault: TokenFault, explanation: string, options?: { readonly cause?: unknown }) {
    super(`TOKEN_${fault.replaceAll('-', '_').toUpperCase()}`, `token refused: ${explanation}`, options)
    this.fault = fault
  }
}
