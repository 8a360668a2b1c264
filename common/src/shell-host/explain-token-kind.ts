import { AppError, errorCode } from '../errors.ts'
import { parseClaims } from '../token/claims.ts'

/**
 * Says what the 404 of a websocket port means that comes although the access API took the token: the `prefix` of the token
 * is not the one that this relay serves. Relays of v0.2.2 serve `shell` tokens alone and their successor `connect` ones,
 * each at the session address of its own form (spec shell 3 and 9.1); ours serve both at both. Any other error is given
 * back as it is. Pure.
 */
export function explainTokenKind(
  error: unknown,
  { access, token }: { readonly access: string; readonly token: string },
): unknown {
  if (!(error instanceof AppError) || errorCode(error) !== 'RELAY_REFUSED' || error.details['status'] !== 404)
    return error
  const kind = kindOf(token)
  const wanted = /\/connect\/[^/]+\/?$/.test(URL.parse(access)?.pathname ?? '') ? 'connect' : 'shell'
  if (kind === '' || kind === wanted) return error
  return new AppError(
    'TOKEN_KIND_WRONG',
    `the relay takes the token and has no connection for it (404): it is one for the kind "${kind}", and the session address is that of "${wanted}" ones; old relays serve their own kind alone`,
  )
}

/** Empty where the token cannot be read. */
function kindOf(token: string): string {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    return parseClaims(JSON.parse(payload))
      .prefix.replaceAll(/[^\w-]/g, '?')
      .slice(0, 40)
  } catch {
    return ''
  }
}
