/** Why the access server gave no address, in the words the page knows. */
export type AccessRefusal = 'refused' | 'cancelled' | 'not-found' | 'busy' | 'relay-trouble' | 'nonsense'

export type AccessAnswer =
  | { readonly ok: true; readonly uri: string }
  | { readonly ok: false; readonly refusal: AccessRefusal; readonly status: number }

/**
 * Judges the answer to `POST /session/<topic>` (session spec 4.1, 4.2, 10.4), of our relay and of the older ones: those
 * answer 500 where the token is wrong, and 400 where the booking was cancelled. Never throws.
 */
export function judgeAccessAnswer(status: number, body: string): AccessAnswer {
  const { uri, message } = parseBody(body)
  if (status >= 200 && status < 300) {
    return uri === undefined ? { ok: false, refusal: 'nonsense', status } : { ok: true, uri }
  }
  return { ok: false, refusal: refusalOf(status, message), status }
}

function refusalOf(status: number, message: string): AccessRefusal {
  if (/deny.?list|cancel/i.test(message)) return 'cancelled'
  if (status === 404) return 'not-found'
  if (status === 429 || status === 503) return 'busy'
  if (status >= 400 && status < 500) return 'refused'
  return /^token |^aud /i.test(message) ? 'refused' : 'relay-trouble'
}

function parseBody(text: string): { readonly uri: string | undefined; readonly message: string } {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { uri: undefined, message: '' }
  }
  if (typeof body === 'string') return { uri: undefined, message: body }
  if (typeof body !== 'object' || body === null) return { uri: undefined, message: '' }
  const { uri, message } = body as Record<string, unknown>
  return {
    uri: typeof uri === 'string' && /^wss?:\/\/[^/]/i.test(uri) ? uri : undefined,
    message: typeof message === 'string' ? message : '',
  }
}

/** `Retry-After` in milliseconds (RFC 9110 10.2.3, seconds or a date); undefined where there is none to be read. */
export function readRetryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === '') return undefined
  const seconds = Number(header)
  const delayMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs
  return Number.isNaN(delayMs) ? undefined : Math.max(0, delayMs)
}
