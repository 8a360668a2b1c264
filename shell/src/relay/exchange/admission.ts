import type { Clock } from '@relay/common/clock'
import type { OneTimeCodes } from '@relay/common/one-time-codes'
import type { BookingLists } from '@relay/common/server/booking-lists'
import {
  commonUpgradeRefusals,
  type PlainAnswer,
  plainAnswers,
} from '@relay/common/server/websocket/plain-answer'
import type { Peer } from '@relay/common/server/websocket/websocket-port'
import { servesTopic, type WebsocketAddress } from '@relay/common/server/websocket/websocket-path'
import type { Exchange } from './exchange.ts'
import { isCurrent, type Permission, type Prefix } from './permission.ts'
import { type Refusal, refusals } from './refusal.ts'

/** First segments of the paths of the websocket port: the prefixes of both old programs. */
export const websocketPrefixes: readonly Prefix[] = ['shell', 'connect']

const retryAfter = { 'Retry-After': '10' }

/** What a refused end hears before any upgrade: old ones back off, and read no more than that it is no 101. */
export const refusalAnswers: Readonly<Record<Refusal, PlainAnswer>> = {
  'too-many-connections': plainAnswers.tooMany,
  'too-many-sessions': {
    status: 429,
    text: 'as many people are connected to this host as may be: try again later',
    headers: retryAfter,
    refusal: 'too-many-sessions',
  },
  'too-many-of-address': {
    status: 429,
    text: 'too many connections from your address: close some first',
    headers: retryAfter,
    refusal: 'too-many-of-address',
  },
  'too-many-hosts': {
    status: 429,
    text: 'as many hosts are connected under this name as may be: stop one first',
    headers: retryAfter,
    refusal: 'too-many-hosts',
  },
  'too-many-waiting': {
    status: 429,
    text: 'the host is not connected, and enough clients wait for it: try again later',
    headers: retryAfter,
    refusal: 'too-many-waiting',
  },
  'client-gone': {
    status: 410,
    text: 'the client has gone, or another host was faster',
    refusal: 'client-gone',
  },
}

/** Every reason for which the websocket port refuses. */
export const upgradeRefusals: readonly string[] = [...new Set([...commonUpgradeRefusals, ...refusals])]

export interface AdmissionDeps {
  readonly clock: Clock
  readonly codes: OneTimeCodes<Permission>
  readonly bookings: BookingLists
  readonly exchange: Exchange
  /** Whether the key that signed a permission is still valid. */
  readonly isKeyValid: (keyId: string) => boolean
}

/**
 * Uses the code up and gives its permission, or says why not (spec shell 3 and 5.1). All in one turn with the upgrade,
 * so that no denial comes between.
 */
export function admitLink(
  { prefix, topic, code }: WebsocketAddress,
  { address }: Peer,
  { clock, codes, bookings, exchange, isKeyValid }: AdmissionDeps,
): Permission | PlainAnswer {
  const permission = codes.exchange(code)
  if (permission === undefined) return plainAnswers.badCode
  if (prefix !== permission.prefix || !servesTopic(topic, permission.path)) return plainAnswers.wrongTopic
  if (!isCurrent(permission, clock.nowMs())) return plainAnswers.noLongerValid
  if (permission.keyId !== undefined && !isKeyValid(permission.keyId)) return plainAnswers.noLongerValid
  if (bookings.isDenied(permission.bookingId)) return plainAnswers.denied
  const refusal = exchange.refusalOf(permission, address)
  return refusal === undefined ? permission : refusalAnswers[refusal]
}
