import { systemClock } from '@relay/common/clock'
import { AppError, ConfigError, UnavailableError } from '@relay/common/errors'
import { signToken } from '@relay/common/token/sign-token'
import type { AdminConfig } from './admin-config.ts'
import { readSecretFile } from './read-secret-file.ts'
import { times } from './token-request.ts'

const requestTimeoutMs = 10_000
/** A token made for one request. */
const ownTokenLifetimeSec = 60
const maxShownLength = 200

export interface AdminRequest {
  readonly method: 'GET' | 'POST'
  /** Path with query, such as `/status`. */
  readonly path: string
  readonly scope: 'relay:admin' | 'relay:stats'
  readonly signal: AbortSignal
}

/**
 * Asks the access API of a relay and gives the text of its answer.
 * @throws {ConfigError} `ADMIN_TOKEN_MISSING`, or about a file.
 * @throws {UnavailableError} `RELAY_UNREACHABLE`.
 * @throws {AppError} `RELAY_REFUSED`, with what the relay said.
 */
export async function askRelay(config: AdminConfig, request: AdminRequest): Promise<string> {
  const token = await adminToken(config, request.scope)
  const base = config.access.replace(/\/+$/, '')
  let response: Response
  let text: string
  try {
    response = await fetch(`${base}${request.path}`, {
      method: request.method,
      headers: { authorization: token, accept: 'application/json' },
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(requestTimeoutMs)]),
    })
    text = await response.text()
  } catch (cause) {
    throw new UnavailableError('RELAY_UNREACHABLE', `the relay at ${base} cannot be reached`, { cause })
  }
  if (response.ok) return text
  throw new AppError('RELAY_REFUSED', `the relay answered ${response.status}: ${explanationIn(text)}`)
}

async function adminToken(config: AdminConfig, scope: string): Promise<string> {
  if (config.tokenFile !== undefined) return await readSecretFile(config.tokenFile)
  if (config.token !== undefined) return config.token
  const secret = config.secretFile === undefined ? config.secret : await readSecretFile(config.secretFile)
  if (secret === undefined) {
    throw new ConfigError(
      'ADMIN_TOKEN_MISSING',
      'nothing to prove who asks: give --token-file or --secret-file, or set RELAY_ADMIN_TOKEN or RELAY_SECRET',
    )
  }
  const claims = {
    booking_id: 'relay-admin-cli',
    topic: '',
    prefix: 'session',
    scopes: [scope],
    aud: [config.audience ?? config.access],
    ...times(systemClock.nowMs(), ownTokenLifetimeSec),
  }
  return await signToken(claims, new TextEncoder().encode(secret))
}

/** The message in an answer of the access API, whatever its form. */
function explanationIn(text: string): string {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'string') return body.slice(0, maxShownLength)
    const { message } = body as { readonly message?: unknown }
    if (typeof message === 'string') return message.slice(0, maxShownLength)
  } catch {
    // Not JSON: shown as it is.
  }
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, maxShownLength)
}
