import { signToken } from '@relay/common/token/sign-token'

/** One topic of the laboratory, and what its token allows. */
export interface Grant {
  readonly topic: string
  readonly scopes: readonly string[]
  readonly lifetimeSec: number
}

/** The booking id of everything in the laboratory. */
export const labBookingId = 'lab'

/** Makes the tokens of a laboratory: for one audience, signed with its secret. */
export class LabTokens {
  readonly #audience: string
  readonly #secret: Uint8Array
  readonly #prefix: 'session' | 'shell'

  constructor(audience: string, secret: string, prefix: 'session' | 'shell' = 'session') {
    this.#audience = audience
    this.#prefix = prefix
    this.#secret = new TextEncoder().encode(secret)
  }

  /** A token that is valid from now on (spec session 3.1). */
  async mint({ topic, scopes, lifetimeSec }: Grant, nowMs: number): Promise<string> {
    const nowSec = Math.floor(nowMs / 1000)
    const claims = {
      booking_id: labBookingId,
      topic,
      prefix: this.#prefix,
      scopes,
      aud: [this.#audience],
      exp: nowSec + lifetimeSec,
      nbf: nowSec - 1,
      iat: nowSec - 1,
    }
    return await signToken(claims, this.#secret)
  }
}
