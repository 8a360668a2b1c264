import { MAX_CONTROL_BYTES, WINDOW_BYTES } from './tunnel-protocol.ts'

/** Codes that a host refuses an `open` with. */
export const refusalCodes = [
  'SSHD_UNREACHABLE',
  'SESSION_UNKNOWN',
  'TOKEN_CHANGED',
  'TOO_MANY_SESSIONS',
  'BAD_REQUEST',
] as const

/** A control message of `relay-tunnel.1` on the link of a session (shell/PROTOCOL.md). */
export type ControlMessage =
  | { readonly type: 'waiting'; readonly reason: string; readonly lastSeen: string | null }
  | { readonly type: 'paired'; readonly peer: 'tunnel' | 'plain' }
  | OpenMessage
  | OpenedMessage
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | { readonly type: 'ack'; readonly offset: number }
  | { readonly type: 'fin'; readonly at: number }
  | { readonly type: 'reset'; readonly code: string; readonly message: string }

export interface OpenMessage {
  readonly type: 'open'
  readonly session: string
  readonly resume: boolean
  /** How many numbers of the stream have been received; the `fin` counts as one. */
  readonly received: number
  readonly window: number
  /** Counts what a client says for this session: one that was overtaken by a later one is void. */
  readonly attempt: number
}

export interface OpenedMessage {
  readonly type: 'opened'
  readonly received: number
  readonly window: number
}

/** Longest sentence or code that is taken over from another end. */
const maxWords = 500

/** A control message as text. Words are cut to what a message may hold. */
export function encodeControl(message: ControlMessage): string {
  switch (message.type) {
    case 'ack':
      return `a${message.offset}`
    case 'refused':
    case 'reset':
      return JSON.stringify({ ...message, message: message.message.slice(0, maxWords) })
    default:
      return JSON.stringify(message)
  }
}

/**
 * The meaning of a text message; undefined for one that is unknown or malformed, which is to be ignored. Takes any text;
 * no number in the result is negative, broken or above 2^53. Pure.
 */
export function parseControl(text: string): ControlMessage | undefined {
  if (text.startsWith('a')) return parseAck(text)
  if (!text.startsWith('{') || text.length > MAX_CONTROL_BYTES) return undefined
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  return parseBody(body as Readonly<Record<string, unknown>>)
}

/** Whether a text that `parseControl` does not take says of itself that it is an `open`. Takes any text. Pure. */
export function isBrokenOpen(text: string): boolean {
  if (parseControl(text) !== undefined) return false
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null && 'type' in body && body.type === 'open'
  } catch {
    return /^\s*\{.*"type"\s*:\s*"open"/s.test(text)
  }
}

function parseAck(text: string): ControlMessage | undefined {
  if (!/^a[0-9]{1,16}$/.test(text)) return undefined
  const offset = Number(text.slice(1))
  return Number.isSafeInteger(offset) ? { type: 'ack', offset } : undefined
}

function parseBody(body: Readonly<Record<string, unknown>>): ControlMessage | undefined {
  const { type, received, at, window = WINDOW_BYTES } = body
  switch (type) {
    case 'waiting':
      return { type, reason: words(body['reason']), lastSeen: parseTime(body['lastSeen']) }
    case 'paired':
      return { type, peer: body['peer'] === 'tunnel' ? 'tunnel' : 'plain' }
    case 'open': {
      const { session, resume, attempt = 0 } = body
      if (typeof session !== 'string' || !/^[\w-]{16,64}$/.test(session)) return undefined
      if (!isOffset(received) || !isWindow(window) || typeof resume !== 'boolean') return undefined
      return isOffset(attempt) ? { type, session, resume, received, window, attempt } : undefined
    }
    case 'opened':
      return isOffset(received) && isWindow(window) ? { type, received, window } : undefined
    case 'fin':
      return isOffset(at) ? { type, at } : undefined
    case 'refused':
    case 'reset':
      return { type, code: code(body['code']), message: words(body['message']) }
    default:
      return undefined
  }
}

function isOffset(value: unknown): value is number {
  // One below the limit, so that the number of a `fin` is safe too.
  return typeof value === 'number' && Number.isSafeInteger(value + 1) && value >= 0
}

/** Less than one message would never let anything through. */
function isWindow(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 65_536
}

function code(value: unknown): string {
  return typeof value === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(value) ? value : 'UNKNOWN'
}

/** One line that is fit for a terminal. */
function words(value: unknown): string {
  if (typeof value !== 'string') return ''
  return value
    .slice(0, maxWords)
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
}

function parseTime(value: unknown): string | null {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : null
}
