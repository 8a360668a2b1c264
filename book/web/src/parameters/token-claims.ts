/** What the page wants to know of a stream token. Read, never verified: only the relay can do that. */
export interface TokenClaims {
  readonly topic: string | undefined
  readonly scopes: readonly string[] | undefined
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number | undefined
}

const nothingKnown: TokenClaims = { topic: undefined, scopes: undefined, expiresAtMs: undefined }

/**
 * The claims of a JWT (session spec 3.1); each is undefined where the token does not say, or cannot be read. Never
 * throws: the relay decides about a token, the page only shows its end and what it allows.
 */
export function readTokenClaims(token: string): TokenClaims {
  const payload = token.split('.')[1]
  if (payload === undefined) return nothingKnown
  let claims: unknown
  try {
    claims = JSON.parse(decodeBase64Url(payload))
  } catch {
    return nothingKnown
  }
  if (typeof claims !== 'object' || claims === null) return nothingKnown
  const { topic, scopes, exp } = claims as Record<string, unknown>
  const expS = typeof exp === 'string' ? Number.parseFloat(exp) : exp
  return {
    topic: typeof topic === 'string' ? topic : undefined,
    scopes: isTextList(scopes) ? scopes : undefined,
    expiresAtMs: typeof expS === 'number' && Number.isFinite(expS) ? Math.floor(expS) * 1000 : undefined,
  }
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function decodeBase64Url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
}
