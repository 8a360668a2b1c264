/** A whole answer of an access API. Bodies are kept byte for byte as old clients know them (spec session 4.2). */
export interface AccessAnswer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** Name of the refusal, for the counter and the README; undefined where nothing was refused. */
  readonly refusal?: string
}

/** Why any access API refuses; each program has further reasons, and lists all with status and body in its README. */
export const commonRefusals = [
  'BAD_ADDRESS',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'UNAUTHENTICATED',
  'TOKEN_INVALID',
  'WRONG_AUDIENCE',
  'BAD_CONTENT_TYPE',
  'UNSUPPORTED_MEDIA_TYPE',
  'NOT_ACCEPTABLE',
  'BODY_TOO_LARGE',
  'BAD_BODY',
  'MISSING_SCOPE',
  'BAD_PARAMETER',
  'BOOKING_OVER',
  'DENY_LIST_FULL',
  'TOO_MANY_REQUESTS',
  'TOO_MANY_CONNECTIONS',
  'DRAINING',
  'INTERNAL',
] as const

const json = { 'Content-Type': 'application/json' }

/** An integer `code`, no newline: what the framework of the old servers wrote. */
export function frameworkRefusal(
  refusal: string,
  status: number,
  message: string,
  { code = status, headers = {} }: { code?: number; headers?: Readonly<Record<string, string>> } = {},
): AccessAnswer {
  return { status, body: JSON.stringify({ code, message }), headers: { ...json, ...headers }, refusal }
}

/** A string `code` and a newline: what most of the old handlers wrote. */
export function handlerRefusal(refusal: string, status: number, message: string): AccessAnswer {
  return { status, body: `${JSON.stringify({ code: String(status), message })}\n`, headers: json, refusal }
}

/** A JSON string and a newline: what the oldest handlers wrote. */
export function bareRefusal(refusal: string, status: number, message: string): AccessAnswer {
  return { status, body: `${JSON.stringify(message)}\n`, headers: json, refusal }
}

function retryAfter(retryAfterMs: number): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) } }
}

/** Refusals of every access API, with the status that we give where the old one gave 500 or nothing: 401. */
export const refuse = {
  badAddress: (): AccessAnswer => ({
    status: 400,
    body: '400 Bad Request',
    headers: { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' },
    refusal: 'BAD_ADDRESS',
  }),
  notFound: (path: string): AccessAnswer => frameworkRefusal('NOT_FOUND', 404, `path ${path} was not found`),
  methodNotAllowed: (method: string, allowed: readonly string[]): AccessAnswer =>
    frameworkRefusal(
      'METHOD_NOT_ALLOWED',
      405,
      `method ${method} is not allowed, but [${allowed.join(',')}] are`,
      {
        headers: { Allow: allowed.join(',') },
      },
    ),
  unauthenticated: (): AccessAnswer =>
    frameworkRefusal('UNAUTHENTICATED', 401, 'unauthenticated for invalid credentials'),
  tokenInvalid: (): AccessAnswer => frameworkRefusal('TOKEN_INVALID', 401, 'token invalid'),
  wrongAudience: (audiences: readonly string[], host: string): AccessAnswer =>
    frameworkRefusal('WRONG_AUDIENCE', 401, `aud [${audiences.join(' ')}] does not match this host ${host}`),
  badContentType: (contentType: string): AccessAnswer =>
    frameworkRefusal(
      'BAD_CONTENT_TYPE',
      400,
      `parsing Content-Type header from ${JSON.stringify(contentType)} failed, because mime: no media type`,
    ),
  unsupportedMediaType: (contentType: string): AccessAnswer =>
    frameworkRefusal(
      'UNSUPPORTED_MEDIA_TYPE',
      415,
      `unsupported media type ${JSON.stringify(contentType)}, only [application/json] are allowed`,
    ),
  notAcceptable: (): AccessAnswer =>
    frameworkRefusal(
      'NOT_ACCEPTABLE',
      406,
      'unsupported media type requested, only [application/json] are available',
    ),
  bodyTooLarge: (maxBytes: number): AccessAnswer =>
    frameworkRefusal('BODY_TOO_LARGE', 413, `the body is larger than ${maxBytes} bytes`, {
      headers: { Connection: 'close' },
    }),
  badBody: (): AccessAnswer =>
    frameworkRefusal('BAD_BODY', 400, 'the body ended early or is longer than it says', {
      headers: { Connection: 'close' },
    }),
  missingAdminScope: (): AccessAnswer =>
    handlerRefusal('MISSING_SCOPE', 401, 'token missing relay:admin scope'),
  missingAdminScopeToDeny: (): AccessAnswer =>
    handlerRefusal('MISSING_SCOPE', 401, 'is token missing relay:admin scope? missing relay:admin Scope'),
  missingStatsScope: (): AccessAnswer =>
    handlerRefusal('MISSING_SCOPE', 401, 'token missing relay:stats scope'),
  missingParameter: (name: string): AccessAnswer =>
    frameworkRefusal('BAD_PARAMETER', 422, `${name} in query is required`, { code: 602 }),
  notAnInteger: (name: string, value: string): AccessAnswer =>
    frameworkRefusal(
      'BAD_PARAMETER',
      422,
      `${name} in query must be of type int64: ${JSON.stringify(value)}`,
      {
        code: 601,
      },
    ),
  denialInThePast: (expSec: bigint): AccessAnswer =>
    handlerRefusal('BOOKING_OVER', 400, `booking expiry time (exp) of [${expSec}] missing or in the past`),
  allowanceInThePast: (): AccessAnswer =>
    handlerRefusal('BOOKING_OVER', 400, 'exp (booking expiry time) missing or in the past'),
  denyListFull: (): AccessAnswer =>
    handlerRefusal('DENY_LIST_FULL', 503, 'the deny list is full: nothing was changed'),
  tooManyRequests: (retryAfterMs: number): AccessAnswer =>
    frameworkRefusal(
      'TOO_MANY_REQUESTS',
      429,
      'too many requests: try again later',
      retryAfter(retryAfterMs),
    ),
  tooManyConnections: (): AccessAnswer =>
    frameworkRefusal(
      'TOO_MANY_CONNECTIONS',
      429,
      'too many connections with the same token or booking: close some first',
      retryAfter(10_000),
    ),
  relayFull: (): AccessAnswer =>
    frameworkRefusal(
      'TOO_MANY_CONNECTIONS',
      503,
      'the relay has as many connections as it may have: try again later',
      retryAfter(10_000),
    ),
  draining: (): AccessAnswer =>
    frameworkRefusal('DRAINING', 503, 'the relay is stopping: try again', retryAfter(2000)),
  internal: (): AccessAnswer => frameworkRefusal('INTERNAL', 500, 'internal error: see the log of the relay'),
} as const

/** A JSON value and a newline, as the old server wrote it; nothing is escaped for HTML. */
export function jsonAnswer(value: unknown): AccessAnswer {
  return { status: 200, body: `${JSON.stringify(value)}\n`, headers: json }
}
