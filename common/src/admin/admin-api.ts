import { systemClock } from '../clock.ts'
import { AppError, ConfigError, UnavailableError } from '../errors.ts'
import { signToken } from '../token/sign-token.ts'
import { readSecretFile } from '../read-secret-file.ts'
import { tokenTimes } from '../token-command/token-decision.ts'
import type { AdminConfig } from './admin-config.ts'
import type { AdminTool } from './admin-tool.ts'

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
export async function askRelay(tool: AdminTool, config: AdminConfig, request: AdminRequest): Promise<string> {
  const token = await adminToken(tool, config, request.scope)
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

async function adminToken(
  { spec, prefix, secretName }: AdminTool,
  config: AdminConfig,
  scope: string,
): Promise<string> {
  if (config.tokenFile !== undefined) return await readSecretFile(config.tokenFile)
  if (config.token !== undefined) return config.token
  const secret = config.secretFile === undefined ? config.secret : await readSecretFile(config.secretFile)
  if (secret === undefined) {
    throw new ConfigError(
      'ADMIN_TOKEN_MISSING',
      `nothing to prove who asks: give --token-file or --secret-file, or set ${spec.envPrefix}_TOKEN or ${secretName}`,
    )
  }
  const claims = {
    booking_id: `${spec.program}-admin-cli`,
    topic: '',
    prefix,
    scopes: [scope],
    aud: [config.audience ?? config.access],
    ...tokenTimes(systemClock.nowMs(), ownTokenLifetimeSec),
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
