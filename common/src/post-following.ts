import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { AppError } from './errors.ts'
import { type Environment, proxyAgent } from './proxy.ts'

export interface PostOptions {
  readonly url: URL
  /** For the `Authorization` header. */
  readonly token: string
  /** For everything: proxy, redirects, body. */
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
  readonly signal: AbortSignal | undefined
  readonly environment: Environment
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

const maxRedirects = 10
const userAgent = 'relay'

/**
 * A POST without a body that follows redirects as the old host does (spec session 7.6): 301, 302 and 303 turn it into
 * a GET, 307 and 308 keep it; the token goes along to the same host, never to another and never from https to http.
 * Any status is an answer.
 * @throws {AppError} `POST_TIMED_OUT`, `POST_ABORTED`, `POST_BAD_ANSWER` (too long, redirected nowhere or for ever), or
 *   whatever the network gave.
 */
export async function postFollowing(options: PostOptions): Promise<Answer> {
  const { timeoutMs, signal } = options
  const ending = new AbortController()
  const giveUp = (): void => ending.abort(new AppError('POST_ABORTED', 'it was given up'))
  const deadline = setTimeout(() => {
    ending.abort(new AppError('POST_TIMED_OUT', `there was no answer within ${timeoutMs / 1000} s`))
  }, timeoutMs)
  signal?.addEventListener('abort', giveUp, { once: true })
  if (signal?.aborted === true) giveUp()
  try {
    return await follow(options, ending.signal)
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : error
  } finally {
    clearTimeout(deadline)
    signal?.removeEventListener('abort', giveUp)
  }
}

interface Step {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly withToken: boolean
}

async function follow(options: PostOptions, signal: AbortSignal): Promise<Answer> {
  let step: Step = { method: 'POST', url: options.url, withToken: true }
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await send(step, options, signal)
    const next = nextStep(step, response)
    if (next === undefined) {
      const text = await readBounded(response, options.maxAnswerBytes)
      return { status: response.statusCode ?? 0, headers: response.headers, text }
    }
    response.destroy()
    step = next
  }
  throw new AppError('POST_BAD_ANSWER', `it redirects more than ${maxRedirects} times`)
}

/** Where an answer sends us; undefined where it is the last. Pure. */
function nextStep(step: Step, { statusCode = 0, headers }: IncomingMessage): Step | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return undefined
  const url = URL.parse(headers.location, step.url.href)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new AppError('POST_BAD_ANSWER', 'it redirects to what is no http or https address')
  }
  const isSameHost = url.hostname === step.url.hostname
  const isDowngrade = step.url.protocol === 'https:' && url.protocol === 'http:'
  return {
    method: statusCode === 307 || statusCode === 308 ? step.method : 'GET',
    url,
    withToken: step.withToken && isSameHost && !isDowngrade,
  }
}

async function send(step: Step, options: PostOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, url, withToken } = step
  const { environment, timeoutMs, token } = options
  signal.throwIfAborted()
  return await new Promise((resolve, reject) => {
    const request: ClientRequest = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method,
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...(withToken ? { authorization: token } : {}),
        ...(method === 'POST' ? { 'content-length': 0 } : {}),
      },
      // A connection of its own: none is kept for the next exchange, which comes hours later.
      agent: proxyAgent(url, { environment, timeoutMs, signal }) ?? false,
      signal,
    })
    request.on('response', resolve)
    request.on('error', reject)
    request.on('upgrade', (_response, socket) => {
      socket.destroy()
      reject(new AppError('POST_BAD_ANSWER', 'it switched to another protocol'))
    })
    request.end()
  })
}

async function readBounded(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    // Leaving the loop destroys the response.
    if (length > maxBytes)
      throw new AppError('POST_BAD_ANSWER', `its answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
