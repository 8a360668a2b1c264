import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { AppError } from '@relay/common/errors'
import { type Environment, proxyAgent } from '@relay/common/proxy'

export interface GetOptions {
  /** For the `Authorization` header. */
  readonly token: string
  readonly environment: Environment
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const maxAnswerBytes = 65_536

/**
 * A GET at the access API, through the proxy of the environment. Any status is an answer; redirects are not followed.
 * @throws {AppError} `ACCESS_UNREACHABLE`, `ACCESS_BAD_ANSWER`; `ConfigError` for a proxy that is none.
 */
export async function getText(
  address: string,
  { token, environment, timeoutMs, signal }: GetOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  const url = new URL(address)
  const ending = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const agent = proxyAgent(url, { environment, timeoutMs, signal }) ?? false
  let response: IncomingMessage
  try {
    response = await new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        headers: { accept: 'application/json', authorization: token, 'user-agent': 'relay-shell-client' },
        agent,
        signal: ending,
      })
      request.on('response', resolve).on('error', reject).end()
    })
    return { status: response.statusCode ?? 0, text: await readBounded(response) }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('ACCESS_UNREACHABLE', `the access server ${url.host} cannot be reached`, { cause })
  }
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxAnswerBytes)
      throw new AppError('ACCESS_BAD_ANSWER', 'the answer of the access server is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
