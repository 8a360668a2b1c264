import {
  type AccessAnswer,
  bareRefusal,
  commonRefusals,
  frameworkRefusal,
  handlerRefusal,
  refuse,
} from '@relay/common/server/access/access-answer'
import type { TokenFault } from '@relay/common/token/token-error'
import type { Refusal } from '../exchange/refusal.ts'

/** Why the access API refuses; the README lists them with status and body. */
export const accessRefusals = [
  ...commonRefusals,
  'MISSING_CLAIMS',
  'WRONG_ID',
  'UNUSABLE_ID',
  'STATS_SCOPE_ELSEWHERE',
  'NO_STATS_SCOPE',
  'NO_USABLE_SCOPE',
  'HOST_AND_CLIENT',
  'BOOKING_DENIED',
  'TOO_MANY_SESSIONS',
  'TOO_MANY_OF_ADDRESS',
  'TOO_MANY_HOSTS',
  'TOO_MANY_WAITING',
  'NO_HOST_KEYS',
] as const

/** In whose form a path is answered: v0.2.2 wrote a JSON string, its successor an object. */
export type AnswerStyle = 'shell' | 'connect'

/** What a token that is good and does not serve gets, in the old servers' order and words (spec shell 4 and 9.1). */
const texts = {
  missingClaims: {
    name: 'MISSING_CLAIMS',
    shell: 'Token Missing Required Claims',
    connect: 'token missing required claims',
  },
  wrongId: {
    name: 'WRONG_ID',
    shell: 'ShellID Does Not Match Token',
    connect: 'host_id does not match topic in token',
  },
  statsScopeElsewhere: {
    name: 'STATS_SCOPE_ELSEWHERE',
    shell: 'Path Not Valid for Stats Scope',
    connect: 'path not valid for stats scope',
  },
  noStatsScope: {
    name: 'NO_STATS_SCOPE',
    shell: 'Path Not Valid Without Stats Scope',
    connect: 'path not valid without stats scope',
  },
  noUsableScope: {
    name: 'NO_USABLE_SCOPE',
    shell: 'Missing client, host or stats Scope',
    connect: 'missing client, host or stats scope',
  },
  hostAndClient: {
    name: 'HOST_AND_CLIENT',
    shell: 'Can only have Client Or Host Scope, Not Both',
    connect: 'can only have client or host scope, not both',
  },
  unusableId: {
    name: 'UNUSABLE_ID',
    shell: 'ShellID Holds A Character That Cannot Stand In An Address, Or Is Too Long',
    connect: 'host_id holds a character that cannot stand in an address, or is too long',
  },
  bookingDenied: {
    name: 'BOOKING_DENIED',
    shell: 'Booking Was Cancelled',
    connect: 'booking was cancelled',
  },
} as const

export type TokenRefusal = keyof typeof texts

/** Names of all that is wrong with a token that is good and does not serve. */
export const tokenRefusals = Object.keys(texts) as readonly TokenRefusal[]

/** The answer of a path to such a token: 401 in the form of its generation. Pure. */
export function refuseUse(refusal: TokenRefusal, style: AnswerStyle): AccessAnswer {
  const { name, shell, connect } = texts[refusal]
  return style === 'shell' ? bareRefusal(name, 401, shell) : handlerRefusal(name, 401, connect)
}

const faultTexts: Readonly<Record<TokenFault | 'bearer', string>> = {
  bearer: "tokenstring should not contain 'bearer '",
  malformed: 'token is malformed',
  'bad-algorithm': 'signing method is not allowed',
  'unknown-key': 'signing key is not known here',
  'bad-signature': 'signature is invalid',
  expired: 'token is expired',
  'not-yet-valid': 'token is not valid yet',
  incomplete: 'token does not say when it expires',
  'wrong-audience': 'audience is another host',
  'beyond-policy': 'token goes beyond what its key may sign',
}

/** The answer to a token that is none, in the old words; the old servers gave 500 with it. Pure. */
export function refuseToken(fault: TokenFault | 'bearer'): AccessAnswer {
  return frameworkRefusal('TOKEN_INVALID', 401, `error reading token was ${faultTexts[fault]}`)
}

const retryLater = { headers: { 'Retry-After': '10' } }

/** The answer where the relay takes no more of something. Pure. */
export function refuseMore(refusal: Refusal): AccessAnswer {
  switch (refusal) {
    case 'too-many-connections':
      return refuse.relayFull()
    case 'too-many-sessions':
      return frameworkRefusal(
        'TOO_MANY_SESSIONS',
        429,
        'too many connections with this experiment: close some first',
        retryLater,
      )
    case 'too-many-of-address':
      return frameworkRefusal(
        'TOO_MANY_OF_ADDRESS',
        429,
        'too many connections from this address: close some first',
        retryLater,
      )
    case 'too-many-hosts':
      return frameworkRefusal(
        'TOO_MANY_HOSTS',
        429,
        'too many hosts hold this experiment: stop some first',
        retryLater,
      )
    case 'too-many-waiting':
      return frameworkRefusal(
        'TOO_MANY_WAITING',
        429,
        'the host of this experiment is not connected, and too many wait for it',
        retryLater,
      )
    default:
      // Only who dials for a client that has gone hears it, on the other port.
      return refuse.internal()
  }
}

/** No host has told its keys. */
export function refuseHostKeys(): AccessAnswer {
  return frameworkRefusal('NO_HOST_KEYS', 404, 'no host of this id has told its keys since the relay began')
}
