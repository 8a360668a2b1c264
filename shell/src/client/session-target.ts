import { join } from 'node:path'
import { AppError, ConfigError } from '@relay/common/errors'
import { parseShellAccess } from '@relay/common/shell-host/shell-access'
import { checkedToken, readTokenFile } from '@relay/common/token-source'
import { type Claims, parseClaims } from '@relay/common/token/claims'

/** Where a session goes, and with what. */
export interface SessionTarget {
  /** How people call the experiment. */
  readonly id: string
  /** Session address at the access API. */
  readonly access: string
  readonly token: string
  /** What the token says of its end; undefined where it cannot be read. */
  readonly expiresAtMs: number | undefined
}

export interface TargetRequest {
  /** As the person typed it; undefined: that of the session address or of the token. */
  readonly id: string | undefined
  /** Session address; empty: made from the token. */
  readonly session: string
  /** The token itself, from the environment; empty: from a file. */
  readonly token: string
  /** Empty: `<tokenDirectory>/<id>.token`. */
  readonly tokenFile: string
  readonly tokenDirectory: string
  /** What the token must be for. Default: `client`. */
  readonly scope?: 'client' | 'stats'
}

/**
 * Finds token and address for a session. A file that was named counts before the environment, this before the folder.
 * @throws {ConfigError} with a sentence that says what is missing, or that id, address and token do not fit together.
 */
export async function findTarget(request: TargetRequest): Promise<SessionTarget> {
  const token = await readToken(request)
  const claims = readClaims(token)
  const { id: wanted } = request
  if (wanted !== undefined && claims !== undefined && claims.topic !== '' && claims.topic !== wanted)
    throw new ConfigError('ID_MISMATCH', `the token is for "${shown(claims.topic)}", not for "${wanted}"`)
  const access = request.session === '' ? accessOf(claims) : request.session
  const parsed = parseShellAccess(access)
  if (typeof parsed === 'string') {
    const where = request.session === '' ? 'the address that the token gives' : 'the session address'
    const advice = request.session === '' ? '; give the right one with --session' : ''
    throw new ConfigError('SESSION_WRONG', `${where} is wrong: ${parsed}${advice}`)
  }
  const id = wanted ?? parsed.id
  if (parsed.id !== id)
    throw new ConfigError(
      'ID_MISMATCH',
      `the session address is that of "${shown(parsed.id)}", not of "${id}"`,
    )
  if (claims !== undefined && claims.topic !== '' && claims.topic !== id)
    throw new ConfigError('ID_MISMATCH', `the token is for "${shown(claims.topic)}", not for "${shown(id)}"`)
  const { scope = 'client' } = request
  if (claims !== undefined && claims.scopes.length > 0 && !claims.scopes.includes(scope))
    throw new ConfigError(
      'TOKEN_WRONG',
      `the token has the scope "${claims.scopes.join('", "').slice(0, 80)}" and not "${scope}", which is needed`,
    )
  const { expiresAtSec } = claims ?? {}
  return { id, access, token, expiresAtMs: expiresAtSec === undefined ? undefined : expiresAtSec * 1000 }
}

/** What a token or an address says, fit for a terminal. */
function shown(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?').slice(0, 80)
}

async function readToken({ id, token, tokenFile, tokenDirectory }: TargetRequest): Promise<string> {
  try {
    if (tokenFile !== '') return await readTokenFile(tokenFile)
    if (token !== '') return checkedToken(token, 'the environment')
    if (id !== undefined) return await readTokenFile(join(tokenDirectory, tokenFileName(id)))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const advice =
      tokenFile === '' && error.code === 'TOKEN_FILE_MISSING'
        ? '; put it there, or name another with --token-file'
        : ''
    throw new ConfigError(error.code, `${error.message}${advice}`)
  }
  throw new ConfigError(
    'TOKEN_MISSING',
    'there is no token: set SHELLCLIENT_TOKEN or JUMP_CLIENT_TOKEN, or name a file with --token-file',
  )
}

/** Where the token of an id lies in the folder of tokens. */
export function tokenFileName(id: string): string {
  if (!isUsualId(id))
    throw new ConfigError('ID_WRONG', `"${id.slice(0, 80)}" is no id: letters, digits, "-" and "_" make one`)
  return `${id}.token`
}

/** Ids that all programs take (specification 3, topic naming). */
export function isUsualId(id: string): boolean {
  return /^[\w-]{1,128}$/.test(id)
}

/** What a token says, unverified: the relay judges it. Undefined where it is none that can be read. Pure. */
export function readClaims(token: string): Claims | undefined {
  const [, payload] = token.split('.')
  try {
    return parseClaims(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()))
  } catch {
    return undefined
  }
}

/** `aud` is the access API; the kind of connection tells the path: `shell` of v0.2.2 and ours, `connect` of jump. */
function accessOf(claims: Claims | undefined): string {
  const [audience] = claims?.audiences ?? []
  if (claims === undefined || audience === undefined || claims.topic === '')
    throw new ConfigError(
      'SESSION_MISSING',
      'the token does not say where it is for: give the session address with --session, such as https://relay.example.org/shell-access/shell/pend00',
    )
  const path = claims.prefix === 'connect' ? 'api/v1/connect' : 'shell'
  return `${audience.replace(/\/+$/, '')}/${path}/${encodeURIComponent(claims.topic)}`
}
