import type { IncomingMessage } from 'node:http'
import { type Answer, textAnswer } from './answer.ts'
import { type GuardPolicy, guardRequest, originOf } from './guard-request.ts'
import { parseRequestTarget } from './request-target.ts'
import { routeRequest } from './route.ts'

export interface UpgradeFacts {
  readonly policy: GuardPolicy
  /** There are as many websockets as may be. */
  readonly isFull: boolean
}

export type UpgradeVerdict =
  | { readonly ok: true; readonly feed: string }
  | { readonly ok: false; readonly answer: Answer }

/** Decides whether a request becomes a websocket on `/ws/<feed>`; refusals are those of spec session 6.1. */
export function judgeUpgrade(
  { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  { policy, isFull }: UpgradeFacts,
): UpgradeVerdict {
  const target = parseRequestTarget(url ?? '')
  const route = target === undefined ? undefined : routeRequest(method ?? '', target)
  if (route?.kind !== 'websocket') return { ok: false, answer: textAnswer(404, '404 page not found') }
  const verdict = guardRequest(originOf(headers, target?.host), policy)
  if (!verdict.ok) return { ok: false, answer: textAnswer(403, verdict.sentence) }
  if (!isHandshake(headers)) return refuse(400, 'Bad Request')
  if (method !== 'GET') return refuse(405, 'Method Not Allowed')
  if (isFull) return refuse(503, 'there are as many websockets as this agent takes; close one first')
  return { ok: true, feed: route.feed }
}

function isHandshake(headers: IncomingMessage['headers']): boolean {
  const key = headers['sec-websocket-key']
  return (
    hasWord(headers.connection, 'upgrade') &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    key !== undefined &&
    /^[+/0-9A-Za-z]{22}==$/.test(key)
  )
}

function hasWord(list: string | undefined, word: string): boolean {
  return list?.split(',').some((part) => part.trim().toLowerCase() === word) === true
}

function refuse(status: number, sentence: string): UpgradeVerdict {
  return { ok: false, answer: textAnswer(status, sentence, { 'Sec-Websocket-Version': '13' }) }
}
