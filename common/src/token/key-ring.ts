import type { CryptoKey } from 'jose'
import type { KeyPolicy } from './key-policy.ts'

export interface PublicKey {
  readonly keyId: string
  readonly algorithm: 'EdDSA' | 'ES256'
  readonly key: CryptoKey
  readonly policy: KeyPolicy
  /** Differs where the key itself, or its policy, does. */
  readonly fingerprint?: string
}

/** The keys that tokens may be signed with at this moment. Immutable: a reload makes a new one. */
export interface KeyRing {
  /**
   * Shared secrets, as raw bytes. All are valid at once, so that a secret can be changed without downtime. An empty
   * one never verifies anything.
   */
  readonly secrets: readonly Uint8Array[]
  readonly publicKeys: ReadonlyMap<string, PublicKey>
}

/** A ring of shared secrets alone; each is used as its UTF-8 bytes, as the old programs do. */
export function secretsKeyRing(...secrets: readonly string[]): KeyRing {
  const encoder = new TextEncoder()
  return { secrets: secrets.map((secret) => encoder.encode(secret)), publicKeys: new Map() }
}
