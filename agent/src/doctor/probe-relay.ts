import { type RequestOptions, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { TLSSocket } from 'node:tls'
import { errorCode } from '@relay/common/errors'
import { type Environment, proxyAgent } from '@relay/common/proxy'

/** What its certificate says. */
export interface CertificateFacts {
  /** Undefined where chain, name and dates are right; else why not, as the TLS library names it. */
  readonly fault: string | undefined
  readonly expiresAtMs: number | undefined
  /** Who issued it, in its own words. */
  readonly issuer: string
}

export type RelayAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** The beginning of the body. */
      readonly body: string
      /** What its `Date` header says. */
      readonly dateMs: number | undefined
      /** The time of this machine in the middle of request and answer. */
      readonly askedAtMs: number
      readonly certificate: CertificateFacts | undefined
    }
  | {
      readonly kind: 'failed'
      /** Code of the system or of a library (`ECONNREFUSED`), or `TIMEOUT`. */
      readonly fault: string
      readonly why: string
    }

const maxBodyBytes = 4_096

export interface ProbeOptions {
  readonly url: string
  readonly environment: Environment
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly nowMs: () => number
}

/**
 * Asks `url` without any token. A wrong certificate is told and does not end the question: nothing secret is sent, and
 * the answer is only looked at for what it shows. Through a proxy a wrong certificate is a failure with its code.
 */
export function probeRelay(options: ProbeOptions): Promise<RelayAnswer> {
  return new Promise((resolve) => {
    const { url, environment, timeoutMs, signal, nowMs } = options
    const isSecure = new URL(url).protocol === 'https:'
    const startedAtMs = nowMs()
    const failed = (error: unknown): void => resolve({ kind: 'failed', ...failureOf(error) })
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const agent = proxyAgent(url, { environment, timeoutMs, signal: deadline })
      const settings: RequestOptions & { readonly rejectUnauthorized?: boolean } = {
        method: 'GET',
        agent: agent ?? false,
        signal: deadline,
        headers: { accept: 'application/json', 'user-agent': 'relay-agent-doctor' },
        ...(isSecure ? { rejectUnauthorized: false } : {}),
      }
      const request = (isSecure ? httpsRequest : httpRequest)(url, settings, (response) => {
        const { socket, headers, statusCode: status = 0 } = response
        const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined
        const askedAtMs = (startedAtMs + nowMs()) / 2
        const dateMs = Date.parse(headers.date ?? '')
        const chunks: Buffer[] = []
        let bytes = 0
        const finish = (): void => {
          resolve({
            kind: 'answered',
            status,
            body: Buffer.concat(chunks).toString('utf8').slice(0, maxBodyBytes),
            dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
            askedAtMs,
            certificate,
          })
          request.destroy()
        }
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          bytes += chunk.length
          if (bytes >= maxBodyBytes) finish()
        })
        response.on('end', finish)
        response.on('error', finish)
      })
      request.on('error', failed)
      request.end()
    } catch (error) {
      failed(error)
    }
  })
}

function certificateOf(socket: TLSSocket): CertificateFacts {
  const { valid_to: validTo, issuer } = socket.getPeerCertificate()
  const expiresAtMs = Date.parse(validTo ?? '')
  const { authorizationError } = socket
  // The type says Error; the library gives the code as a text.
  const fault: unknown = authorizationError ?? undefined
  const organisation: unknown = issuer?.O ?? issuer?.CN
  return {
    fault: socket.authorized
      ? undefined
      : fault instanceof Error
        ? (errorCode(fault) ?? fault.message)
        : String(fault),
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
    issuer: typeof organisation === 'string' ? organisation : '',
  }
}

/** The innermost cause: what went wrong in the end. */
function failureOf(error: unknown): { readonly fault: string; readonly why: string } {
  let inner = error
  for (let depth = 0; depth < 5 && inner instanceof Error; depth += 1) {
    const next: unknown = inner instanceof AggregateError ? inner.errors[0] : inner.cause
    if (!(next instanceof Error)) break
    inner = next
  }
  if (inner instanceof Error && (inner.name === 'AbortError' || inner.name === 'TimeoutError'))
    return { fault: 'TIMEOUT', why: 'no answer in time' }
  return { fault: errorCode(inner) ?? 'no code', why: inner instanceof Error ? inner.message : String(inner) }
}
