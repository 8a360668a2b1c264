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

/** A token was refused. `code` is `TOKEN_` and the fault; the message never holds any part of the token. */
export class TokenError extends AppError {
  override readonly permanent = true
  readonly fault: TokenFault

  constructor(fault: TokenFault, explanation: string, options?: { readonly cause?: unknown }) {
    super(`TOKEN_${fault.replaceAll('-', '_').toUpperCase()}`, `token refused: ${explanation}`, options)
    this.fault = fault
  }
}
