import { isUtf8 } from 'node:buffer'
import type { Message } from '../feeds/feed-hub.ts'
import type { CommandPattern } from './command-pattern.ts'
import { type Hole, renderTemplate, type Template, valueAt } from './template.ts'
import type { Captures, TopicFilter } from './topic-filter.ts'

export type Qos = 0 | 1

/** What the broker says, and how the feed hears it. */
export interface Subscription {
  readonly filter: TopicFilter
  readonly qos: Qos
  /** Undefined: the payload as it is, as a binary message. */
  readonly template: Template | undefined
  /** The last message of each topic is said again to those who come late. */
  readonly keepsLast: boolean
  readonly maxPerSecond: number
}

/** What the feed says, and how the broker hears it. */
export interface Publication {
  /** Undefined: every message. */
  readonly pattern: CommandPattern | undefined
  readonly topic: Template
  /** Undefined: the message as it is. */
  readonly payload: Template | undefined
  readonly qos: Qos
  readonly retain: boolean
}

/** Names that the template of a subscription may use beside those of its wildcards. */
export const messageNames = ['topic', 'payload', 'json', 'text', 'number', 'base64', 'retained', 'timeMs']

export interface BrokerMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly retained: boolean
  readonly timeMs: number
}

export type Translated =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly reason: 'not JSON' | 'no number' | 'too long' }

class NotFitError extends Error {
  readonly reason: 'not JSON' | 'no number'
  constructor(reason: 'not JSON' | 'no number') {
    super(reason)
    this.reason = reason
  }
}

/** The first subscription that a topic fits, and what its wildcards stand for. Pure. */
export function findSubscription<T extends Pick<Subscription, 'filter'>>(
  subscriptions: readonly T[],
  topic: string,
): { readonly subscription: T; readonly captures: Captures } | undefined {
  for (const subscription of subscriptions) {
    const captures = subscription.filter.match(topic)
    if (captures !== undefined) return { subscription, captures }
  }
  return undefined
}

/** What the feed hears of a message of the broker; at most `maxBytes`. Pure. */
export function toFeed(
  message: BrokerMessage,
  { template, captures }: { readonly template: Template | undefined; readonly captures: Captures },
  maxBytes: number,
): Translated {
  if (template === undefined) return { ok: true, message: { data: message.payload, binary: true } }
  try {
    const text = renderTemplate(template, (hole) => messageValue(message, captures, hole))
    const data = Buffer.from(text)
    if (data.length > maxBytes) return { ok: false, reason: 'too long' }
    return { ok: true, message: { data, binary: false } }
  } catch (error) {
    if (error instanceof NotFitError) return { ok: false, reason: error.reason }
    // Nested so deep that it cannot be written again.
    return { ok: false, reason: 'not JSON' }
  }
}

function messageValue(message: BrokerMessage, captures: Captures, { name, path }: Hole): unknown {
  const { payload } = message
  switch (name) {
    case 'topic':
      return message.topic
    case 'retained':
      return message.retained
    case 'timeMs':
      return message.timeMs
    case 'text':
      return payload.toString('utf8')
    case 'base64':
      return payload.toString('base64')
    case 'number':
      return numberOf(payload)
    case 'json':
      return valueAt(jsonOf(payload), path)
    case 'payload':
      return valueAt(anyOf(payload), path)
    default:
      return captures.get(name)
  }
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    throw new NotFitError('not JSON')
  }
}

function numberOf(payload: Buffer): number {
  const text = payload.toString('latin1').trim()
  const value = text === '' || text.length > 64 ? Number.NaN : Number(text)
  if (!Number.isFinite(value)) throw new NotFitError('no number')
  return value
}

/** JSON as JSON, other text as text, anything else in base64. */
function anyOf(payload: Buffer): unknown {
  if (!isUtf8(payload)) return payload.toString('base64')
  const text = payload.toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export type Routed =
  | {
      readonly ok: true
      readonly topic: string
      readonly payload: string | Buffer
      readonly publication: Publication
    }
  | { readonly ok: false; readonly reason: 'no publication' | 'too long' }

/**
 * Where one command of the feed goes: to the first publication that it fits. `command` is what it says as JSON,
 * undefined where it is none. Pure.
 */
export function toBroker(
  { data, command, binary }: { readonly data: Buffer; readonly command: unknown; readonly binary: boolean },
  publications: readonly Publication[],
  maxBytes: number,
): Routed {
  for (const publication of publications) {
    const { pattern, topic, payload } = publication
    const values = pattern === undefined ? new Map<string, unknown>() : matchText(pattern, command, binary)
    if (values === undefined) continue
    const valueOf = ({ name, path }: Hole): unknown => valueAt(values.get(name), path)
    try {
      const routed = {
        ok: true,
        topic: renderTemplate(topic, valueOf),
        payload: payload === undefined ? data : renderTemplate(payload, valueOf),
        publication,
      } as const
      return Buffer.byteLength(routed.payload) > maxBytes ? { ok: false, reason: 'too long' } : routed
    } catch {
      // Nested so deep that it cannot be written again.
      return { ok: false, reason: 'too long' }
    }
  }
  return { ok: false, reason: 'no publication' }
}

function matchText(
  pattern: CommandPattern,
  command: unknown,
  binary: boolean,
): ReadonlyMap<string, unknown> | undefined {
  return binary || command === undefined ? undefined : pattern.match(command)
}
