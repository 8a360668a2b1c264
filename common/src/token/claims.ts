import { TokenError } from './token-error.ts'

/**
 * What a token says (spec session 3.1). Absent strings are '', absent lists are empty, times are whole unix seconds.
 * Unknown claims are left out.
 */
export interface Claims {
  readonly topic: string
  /** Kind of connection: `session` or `shell`. */
  readonly prefix: string
  readonly scopes: readonly string[]
  readonly audiences: readonly string[]
  /** `booking_id` of the newer programs, or `bookingID` of 0.3.0 to 0.4.4. */
  readonly bookingId: string
  readonly subject: string
  readonly expiresAtSec: number | undefined
  readonly notBeforeSec: number | undefined
  readonly issuedAtSec: number | undefined
}

/**
 * Reads the payload of a token as the old programs do: names in any letter case, an exact spelling before another,
 * `aud` a string or a list, times cut to whole seconds and also accepted as quoted numbers, `null` as absent.
 * @throws {TokenError} `TOKEN_MALFORMED` where a known claim has a wrong type.
 */
export function parseClaims(payload: unknown): Claims {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new TokenError('malformed', 'the payload is not a JSON object')
  }
  const claims = new ClaimReader(payload as Readonly<Record<string, unknown>>)
  // Not used here, but with another type the old programs refuse the token.
  for (const name of ['topicSalt', 'iss', 'jti']) claims.string(name)
  claims.boolean('alertHost')
  return {
    topic: claims.string('topic'),
    prefix: claims.string('prefix'),
    scopes: claims.strings('scopes'),
    audiences: claims.stringOrStrings('aud'),
    bookingId: claims.string('booking_id') || claims.string('bookingID'),
    subject: claims.string('sub'),
    expiresAtSec: claims.seconds('exp'),
    notBeforeSec: claims.seconds('nbf'),
    issuedAtSec: claims.seconds('iat'),
  }
}

/** The required claims of a connection (spec session 3.1) are all there. */
export function hasRequiredClaims(claims: Claims): boolean {
  return claims.topic !== '' && claims.prefix !== '' && claims.scopes.length > 0
}

/** A number as JSON writes it. */
const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

class ClaimReader {
  readonly #payload: Readonly<Record<string, unknown>>

  constructor(payload: Readonly<Record<string, unknown>>) {
    this.#payload = payload
  }

  string(name: string): string {
    const value = this.#find(name)
    if (value === undefined) return ''
    if (typeof value !== 'string') throw wrongType(name, 'a string')
    return value
  }

  boolean(name: string): boolean {
    const value = this.#find(name)
    if (value === undefined) return false
    if (typeof value !== 'boolean') throw wrongType(name, 'true or false')
    return value
  }

  strings(name: string): readonly string[] {
    const value = this.#find(name)
    if (value === undefined) return []
    if (!isStringArray(value)) throw wrongType(name, 'a list of strings')
    return value
  }

  stringOrStrings(name: string): readonly string[] {
    const value = this.#find(name)
    if (value === undefined) return []
    if (typeof value === 'string') return value === '' ? [] : [value]
    if (!isStringArray(value)) throw wrongType(name, 'a string or a list of strings')
    return value
  }

  seconds(name: string): number | undefined {
    const value = this.#find(name)
    if (value === undefined) return undefined
    const number = typeof value === 'string' && jsonNumber.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isFinite(number)) throw wrongType(name, 'a number of seconds')
    // Adding 0 makes 0 of -0.
    return Math.trunc(number) + 0
  }

  /** Go's JSON: the exact name first, else a name that is equal but for letter case. */
  #find(name: string): unknown {
    if (Object.hasOwn(this.#payload, name)) return this.#payload[name] ?? undefined
    const wanted = name.toLowerCase()
    for (const key of Object.keys(this.#payload)) {
      if (key.toLowerCase() === wanted) return this.#payload[key] ?? undefined
    }
    return undefined
  }
}

function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function wrongType(name: string, wanted: string): TokenError {
  return new TokenError('malformed', `the claim "${name}" is not ${wanted}`)
}
