import { hasRequiredClaims } from '@relay/common/token/claims'
import type { VerifiedClaims } from '@relay/common/token/verify-token'
import type { TokenRefusal } from './shell-answer.ts'

/** What a token is for on a path. */
export type TokenUse = 'manager' | 'client' | 'stats'

/** The reserved id, whose links hear reports. */
export const statsId = 'stats'

/**
 * Characters that stand in a path as they are; with others the addresses that old ends are given would mean something
 * else. Ids in the field are letters and digits.
 */
const usableId = /^(?!\.{1,2}$)[\w.~@:=+,'()*!$&;-]{1,128}$/

/**
 * What verified claims allow on the path of an id, checked in the order of the old servers (spec shell 3, steps 6 to
 * 10), and then whether the id can be served at all. Pure.
 */
export function readUse(claims: VerifiedClaims, id: string): TokenUse | { readonly refusal: TokenRefusal } {
  const { topic, scopes, notBeforeSec, issuedAtSec } = claims
  if (!hasRequiredClaims(claims) || notBeforeSec === undefined || issuedAtSec === undefined)
    return { refusal: 'missingClaims' }
  if (topic !== id) return { refusal: 'wrongId' }
  const isStats = scopes.includes('stats')
  if (isStats && id !== statsId) return { refusal: 'statsScopeElsewhere' }
  if (!isStats && id === statsId) return { refusal: 'noStatsScope' }
  const isHost = scopes.includes('host')
  const isClient = scopes.includes('client')
  if (!isHost && !isClient && !isStats) return { refusal: 'noUsableScope' }
  if (isHost && isClient) return { refusal: 'hostAndClient' }
  if (!usableId.test(id)) return { refusal: 'unusableId' }
  if (isStats) return 'stats'
  return isHost ? 'manager' : 'client'
}
