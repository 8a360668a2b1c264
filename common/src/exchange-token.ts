import { AppError } from './errors.ts'
import { RetryLaterError } from './keep-connected.ts'

export interface ExchangeOptions {
  /** Address of the access API with the topic: `https://…/session/<topic>`. */
  readonly access: string
  /** The JWT, bare. */
  readonly token: string
  /** For everything, redirects and body included. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** The access API refused the token: trying again with the same one cannot help, a new token can. */
export class AccessRefusedError extends AppError {
  readonly status: number
  constructor(status: number, reason: string) {
    super('ACCESS_REFUSED', `the access server refused the token (${status}): ${reason}`, {
      details: { status },
    })
    this.status = status
  }
}

/** An answer is a short JSON object; no more than this is read of it. */
const maxAnswerBytes = 65_536
const userAgent = 'relay'

/**
 * Swaps a token for a one-time websocket address (spec session 4 and 7.6). As the old programs do, it takes the `uri`
 * of any answer, whatever the status; without one the status tells the fault. Never logs or reports token or address.
 * @throws {AccessRefusedError} for 400, 401, 403 and the old programs' 500 `token invalid`.
 * @throws {RetryLaterError} for 429 and 503 with `Retry-After`.
 * @throws {AppError} `ACCESS_UNREACHABLE`, `ACCESS_BAD_ANSWER`.
 */
export async function exchangeToken({ access, token, timeoutMs, signal }: ExchangeOptions): Promise<string> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const response = await post(
    access,
    token,
    signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
  )
  const { uri, message } = parseAnswer(response.text)
  if (uri !== undefined) return uri
  const { status } = response
  if (status === 429 || status === 503) {
    throw new RetryLaterError(`the access server is busy (${status})`, retryAfterMs(response.retryAfter))
  }
  if (
    status === 400 ||
    status === 401 ||
    status === 403 ||
    /token invalid|does not match this host/.test(message)
  ) {
    throw new AccessRefusedError(status, message === '' ? 'no reason given' : message)
  }
  throw new AppError(
    'ACCESS_BAD_ANSWER',
    `the access server answered ${status} without an address: ${message}`,
    {
      details: { status },
    },
  )
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | null
  readonly text: string
}

async function post(access: string, token: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(access, {
      method: 'POST',
      headers: { authorization: token, accept: 'application/json', 'user-agent': userAgent },
      signal,
    })
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      text: await readBounded(response),
    }
  } catch (cause) {
    throw new AppError('ACCESS_UNREACHABLE', 'the access server cannot be reached', { cause })
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  if (response.body === null) return ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength
    if (length > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** `uri` in any letter case, as Go reads it; and a sentence that the server gave, at most 200 characters of it. */
function parseAnswer(text: string): { readonly uri: string | undefined; readonly message: string } {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { uri: undefined, message: text.trim().slice(0, 200) }
  }
  if (typeof body === 'string') return { uri: undefined, message: body.slice(0, 200) }
  if (typeof body !== 'object' || body === null) return { uri: undefined, message: '' }
  const entries = Object.entries(body)
  const uri: unknown = entries.find(([key]) => key.toLowerCase() === 'uri')?.[1]
  const message: unknown = entries.find(([key]) => key === 'message')?.[1]
  return {
    uri: typeof uri === 'string' && uri !== '' ? uri : undefined,
    message: typeof message === 'string' ? message.slice(0, 200) : '',
  }
}

/** RFC 9110 10.2.3: seconds or a date; 1 s where it cannot be read. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 1000
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const dateMs = Date.parse(header)
  return Number.isNaN(dateMs) ? 1000 : Math.max(0, dateMs - Date.now())
}
