import { AppError, ConfigError, errorCode } from './errors.ts'
import { RetryLaterError } from './keep-connected.ts'
import { withoutSecrets } from './log.ts'
import { type Answer, postFollowing } from './post-following.ts'
import type { Environment } from './proxy.ts'

export interface ExchangeOptions {
  /** Address of the access API with the topic: `https://…/session/<topic>`. */
  readonly access: string
  /** The JWT, bare. Blanks around it, such as the end of a file's last line, are left out. */
  readonly token: string
  /** For everything, redirects and body included. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Of the process, for `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (see proxy.ts). Default: no proxy. */
  readonly environment?: Environment
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
/** Of a sentence that the server gave. */
const maxReasonLength = 200

/**
 * Swaps a token for a one-time websocket address (spec session 4 and 7.6). As the old programs do, it takes the `uri`
 * of any answer, whatever the status; without one the status tells the fault. Never logs or reports token or address.
 * @throws {AccessRefusedError} for 400, 401, 403 and the old programs' 500 `token invalid` or `error reading token`.
 * @throws {RetryLaterError} for 429 and 503, with the pause of `Retry-After`.
 * @throws {ConfigError} `ACCESS_BAD_ADDRESS`, `ACCESS_BAD_TOKEN` (it cannot be a token), `PROXY_INVALID`: nothing was sent.
 * @throws {AppError} `ACCESS_UNREACHABLE` (also when `signal` aborted), `ACCESS_BAD_ANSWER`.
 */
export async function exchangeToken(options: ExchangeOptions): Promise<string> {
  const { access, timeoutMs, signal, environment = {} } = options
  const url = parseAccessAddress(access)
  const token = parseToken(options.token)
  const answer = await post(url, { token, timeoutMs, signal, environment })
  const { uri, reason } = parseAnswer(answer.text)
  if (uri !== undefined) return checkWebsocketAddress(uri, url)
  throw faultOf(answer, reason, url)
}

function parseAccessAddress(access: string): URL {
  const url = URL.parse(access)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      'ACCESS_BAD_ADDRESS',
      'the access address is not an http or https address such as https://relay.example.org/access/session/topic',
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(
      'ACCESS_BAD_ADDRESS',
      `the access address of ${url.host} holds a user name or password; only a token lets in`,
    )
  }
  return url
}

/** Other characters cannot stand in a header, and the error of the HTTP client would show the whole token. */
function parseToken(text: string): string {
  const token = text.trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new ConfigError(
    'ACCESS_BAD_TOKEN',
    token === ''
      ? 'the token is empty'
      : 'the token holds blanks or characters that no token has; it must be one token on one line',
  )
}

async function post(
  url: URL,
  options: Pick<Parameters<typeof postFollowing>[0], 'token' | 'timeoutMs' | 'signal' | 'environment'>,
): Promise<Answer> {
  try {
    return await postFollowing({ ...options, url, maxAnswerBytes })
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    if (errorCode(cause) === 'POST_BAD_ANSWER') {
      throw new AppError('ACCESS_BAD_ANSWER', `the access server ${url.host} gives no answer of use`, {
        cause,
      })
    }
    throw new AppError('ACCESS_UNREACHABLE', `the access server ${url.host} cannot be reached`, { cause })
  }
}

/** `uri` in any letter case, as the old host reads it; and a sentence that the server gave. */
function parseAnswer(text: string): { readonly uri: string | undefined; readonly reason: string } {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { uri: undefined, reason: readable(text) }
  }
  if (typeof body === 'string') return { uri: undefined, reason: readable(body) }
  if (typeof body !== 'object' || body === null) return { uri: undefined, reason: '' }
  const member = (name: string): string => {
    const value: unknown = Object.entries(body).find(([key]) => key.toLowerCase() === name)?.[1]
    return typeof value === 'string' ? value : ''
  }
  const uri = member('uri')
  return { uri: uri === '' ? undefined : uri, reason: readable(member('message')) }
}

/** What a stranger sent, fit for a log and a terminal: one line, short, no page of HTML, no secrets. */
function readable(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.startsWith('<') ? '' : withoutSecrets(line).slice(0, maxReasonLength)
}

/** Only websockets, without user and password (spec session 7.6). The error does not show it: it holds the code. */
function checkWebsocketAddress(uri: string, { host }: URL): string {
  const url = URL.parse(uri)
  if (url !== null && /^wss?:$/.test(url.protocol) && url.username === '' && url.password === '') return uri
  throw new AppError(
    'ACCESS_BAD_ANSWER',
    `the access server ${host} gave an address that is not a plain ws:// or wss:// address`,
  )
}

function faultOf({ status, headers }: Answer, reason: string, { host }: URL): AppError {
  if (status === 429 || status === 503) {
    const pauseMs = retryAfterMs(headers['retry-after'], headers.date)
    return new RetryLaterError(`the access server ${host} is busy (${status})`, pauseMs)
  }
  const isRefused =
    [400, 401, 403].includes(status) ||
    /token invalid|error reading token|does not match this host/.test(reason)
  if (isRefused) return new AccessRefusedError(status, reason === '' ? 'no reason given' : reason)
  return new AppError(
    'ACCESS_BAD_ANSWER',
    `the access server ${host} answered ${status} without an address${reason === '' ? '' : `: ${reason}`}`,
    { details: { status } },
  )
}

const usualPauseMs = 1000

/**
 * RFC 9110 10.2.3: seconds or a date; 1 s where it cannot be read. A date is compared with that of the same answer, as
 * our clock may be wrong. Pure, but for an answer without a date.
 */
function retryAfterMs(header: string | undefined, date: string | undefined): number {
  if (header === undefined || header.trim() === '') return usualPauseMs
  if (/^\s*[0-9]+\s*$/.test(header)) return Number(header) * 1000
  if (!header.trimEnd().endsWith('GMT')) return usualPauseMs
  const pauseMs = Date.parse(header) - (Date.parse(date ?? '') || Date.now())
  return Number.isNaN(pauseMs) ? usualPauseMs : Math.max(0, pauseMs)
}
