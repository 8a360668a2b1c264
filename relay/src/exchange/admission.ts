import type { Clock } from '@relay/common/clock'
import type { OneTimeCodes } from '@relay/common/one-time-codes'
import type { BookingLists } from '@relay/common/server/booking-lists'
import {
  commonUpgradeRefusals,
  type PlainAnswer,
  plainAnswers,
} from '@relay/common/server/websocket/plain-answer'
import { servesTopic, type WebsocketAddress } from '@relay/common/server/websocket/websocket-path'
import type { Exchange } from './exchange.ts'
import { isCurrent, type Permission } from './permission.ts'

/** First segment of the paths of the websocket port. */
export const websocketPrefix = 'session'

/** The answer to one too many of the same booking or token. */
export const tooManyOfSubject = {
  status: 429,
  text: 'too many connections with the same token or booking: close some first',
  headers: { 'Retry-After': '10' },
  refusal: 'too-many-of-subject',
} as const satisfies PlainAnswer

/** Every reason for which the websocket port refuses. */
export const upgradeRefusals: readonly string[] = [...commonUpgradeRefusals, tooManyOfSubject.refusal]

export interface AdmissionLimits {
  readonly maxConnections: number
  readonly maxConnectionsPerSubject: number
}

export interface AdmissionDeps {
  readonly clock: Clock
  readonly codes: OneTimeCodes<Permission>
  readonly bookings: BookingLists
  readonly exchange: Exchange
  /** Whether the key that signed a permission is still valid. */
  readonly isKeyValid: (keyId: string) => boolean
}

/** Uses the code up and gives its permission, or says why not. All in one turn, so that no denial comes between. */
export function admitWebsocket(
  { topic, code }: WebsocketAddress,
  { maxConnections, maxConnectionsPerSubject }: AdmissionLimits,
  { exchange, codes, bookings, clock, isKeyValid }: AdmissionDeps,
): Permission | PlainAnswer {
  if (exchange.connections.size >= maxConnections) return plainAnswers.tooMany
  const permission = codes.exchange(code)
  if (permission === undefined) return plainAnswers.badCode
  if (!servesTopic(topic, permission.topic)) return plainAnswers.wrongTopic
  if (!isCurrent(permission, clock.nowMs())) return plainAnswers.noLongerValid
  if (permission.keyId !== undefined && !isKeyValid(permission.keyId)) return plainAnswers.noLongerValid
  if (bookings.isDenied(permission.bookingId)) return plainAnswers.denied
  if (exchange.countOfSubject(permission.subject) >= maxConnectionsPerSubject) return tooManyOfSubject
  return permission
}
