import { errorCode } from '@relay/common/errors'
import { exchangeToken } from '@relay/common/exchange-token'
import { type Claims, parseClaims } from '@relay/common/token/claims'
import { checkedToken } from '@relay/common/token-source'
import { topicUrl } from '../../uplink/destination.ts'
import type { FileFacts, Machine } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import {
  closedDirectory,
  hiddenBySandbox,
  mayUse,
  readBit,
  type ServiceFacts,
  type ServiceUser,
  userPhrase,
} from '../service.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

/** What one topic of the configuration asks of its token. */
export interface TokenUse {
  readonly topic: string
  readonly tokenFile: string
  /** Address of its access API. */
  readonly access: string
  /** Scopes without which something here would not work; none where only scripts use the topic. */
  readonly needs: readonly ('read' | 'write' | 'host')[]
  /** Session address of a shell relay, whose tokens are of another kind; undefined for a topic. */
  readonly session?: string
}

export interface TokenFacts {
  readonly use: TokenUse
  readonly user: ServiceUser
  /** Undefined where it is not there, or cannot be looked at. */
  readonly file: FileFacts | undefined
  /** A directory that the user of the service may not enter. */
  readonly closedDirectory: string | undefined
  /** The setting of the unit that hides it from the service. */
  readonly hiddenBy: string | undefined
  /** systemd hands it over, so that only root has to be able to read it. */
  readonly isCredential: boolean
  readonly content: TokenContent
  /** What the relay said to it; undefined where it was not asked. */
  readonly exchange: ExchangeOutcome | undefined
}

export type TokenContent =
  | { readonly kind: 'claims'; readonly claims: Claims }
  /** Readable, but not by us: another form than a JWT with JSON in it. */
  | { readonly kind: 'opaque' }
  | { readonly kind: 'wrong'; readonly why: string }
  | { readonly kind: 'unreadable' }

export type ExchangeOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly why: string }
  /** The relay was not reached: its own area tells why. */
  | { readonly kind: 'not-asked' }

export interface TokenDeps {
  readonly machine: Machine
  readonly service: () => Promise<ServiceFacts>
}

const exchangeWithinMs = 8_000

export function tokensCheck(uses: readonly TokenUse[], deps: TokenDeps): Check {
  return {
    area: 'tokens',
    look: async (signal) => {
      const facts = await Promise.all(uses.map((use) => gatherToken(use, deps, signal)))
      const nowMs = deps.machine.clock.nowMs()
      return facts.length === 0
        ? [ok('no topic is configured, so no token is needed')]
        : facts.flatMap((fact) => judgeToken(fact, nowMs))
    },
  }
}

async function gatherToken(
  use: TokenUse,
  { machine, service }: TokenDeps,
  signal: AbortSignal,
): Promise<TokenFacts> {
  const { user, properties } = await service()
  const [file, text, closed] = await Promise.all([
    machine.stat(use.tokenFile),
    machine.readText(use.tokenFile),
    closedDirectory(machine, use.tokenFile, user),
  ])
  const credentials = properties?.get('LoadCredential') ?? ''
  const content = readContent(text, use.tokenFile)
  const exchange =
    content.kind === 'claims' || content.kind === 'opaque'
      ? await tryToken(use, text ?? '', machine, signal)
      : undefined
  return {
    use,
    user,
    file,
    closedDirectory: closed,
    hiddenBy: hiddenBySandbox(use.tokenFile, properties),
    isCredential:
      use.tokenFile.startsWith('/run/credentials/') ||
      credentials
        .split(/\s+/)
        .some((entry) => entry !== '' && isBelow(use.tokenFile, entry.split(':')[1] ?? '')),
    content,
    exchange,
  }
}

function isBelow(path: string, source: string): boolean {
  return source !== '' && (path === source || path.startsWith(`${source.replace(/\/+$/, '')}/`))
}

function readContent(text: string | undefined, path: string): TokenContent {
  if (text === undefined) return { kind: 'unreadable' }
  let token: string
  try {
    token = checkedToken(text, path)
  } catch (error) {
    return { kind: 'wrong', why: error instanceof Error ? error.message : String(error) }
  }
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    return { kind: 'claims', claims: parseClaims(JSON.parse(payload)) }
  } catch {
    return { kind: 'opaque' }
  }
}

/** Swaps it for an address as the agent does, and lets that address go unused. */
async function tryToken(
  { access, topic, session }: TokenUse,
  token: string,
  { environment }: Machine,
  signal: AbortSignal,
): Promise<ExchangeOutcome> {
  if (access === '') return { kind: 'not-asked' }
  try {
    await exchangeToken({
      access: session ?? topicUrl(access, topic),
      token,
      timeoutMs: exchangeWithinMs,
      signal,
      environment,
    })
    return { kind: 'accepted' }
  } catch (error) {
    return errorCode(error) === 'ACCESS_REFUSED'
      ? { kind: 'refused', why: error instanceof Error ? error.message : '' }
      : { kind: 'not-asked' }
  }
}

/** Pure. Never shows any of a token but what it says about itself. */
export function judgeToken(facts: TokenFacts, nowMs: number): readonly Verdict[] {
  const { use, content, exchange } = facts
  const name = `${use.tokenFile} (${use.topic})`
  const place = judgeFile(facts, name)
  if (place.some(({ level }) => level === 'problem')) return place
  if (content.kind === 'unreadable')
    return [...place, unknown(`${name} cannot be read by you`, 'run the doctor with sudo')]
  if (content.kind === 'wrong')
    return [
      ...place,
      problem(content.why, `write one token on one line into ${use.tokenFile} and nothing else`),
    ]
  const said =
    content.kind === 'opaque'
      ? [unknown(`${name} is of a form that says nothing about itself`)]
      : judgeClaims(name, use, content.claims, nowMs)
  return [...place, ...said, ...judgeExchange(name, exchange)]
}

function judgeFile(
  { use, user, file, closedDirectory: closed, hiddenBy, isCredential }: TokenFacts,
  name: string,
): readonly Verdict[] {
  const path = use.tokenFile
  if (file === undefined)
    return closed === undefined || user.uid === 0
      ? [
          problem(
            `the token file ${name} is not there`,
            'ask whoever runs the relay for a token of this topic',
          ),
        ]
      : [unknown(`the token file ${name} is not there or cannot be seen by you`, 'run the doctor with sudo')]
  const verdicts: Verdict[] = []
  const own = `"chown ${user.name} ${path} && chmod 600 ${path}"`
  if (!isCredential && hiddenBy !== undefined)
    verdicts.push(
      problem(
        `the service does not see ${name}: the unit hides that place (${hiddenBy})`,
        `move it: "install -o ${user.name} -m 600 ${path} /etc/relay-agent/", and name it in the configuration`,
      ),
    )
  else if (!isCredential && closed !== undefined)
    verdicts.push(
      problem(`${userPhrase(user)} may not enter ${closed}, where ${name} is`, `"chmod o+x ${closed}"`),
    )
  else if (!isCredential && !mayUse(file, user, readBit))
    verdicts.push(problem(`${userPhrase(user)} may not read ${name}`, own))
  if ((file.mode & 0o004) !== 0) verdicts.push(warning(`everybody on this machine may read ${name}`, own))
  return verdicts
}

const dayMs = 86_400_000
const shortDays = 14
/** Beyond it a time is one in milliseconds by mistake; old relays then end connections at random (spec session 3.2). */
const latestSeconds = 10_000_000_000

function judgeClaims(name: string, use: TokenUse, claims: Claims, nowMs: number): readonly Verdict[] {
  const fetchNew = 'ask whoever runs the relay for a new token'
  const verdicts: Verdict[] = []
  const tell = (what: string, advice = fetchNew): void =>
    void verdicts.push(problem(`${name} ${what}`, advice))
  if (claims.topic !== '' && claims.topic !== use.topic)
    tell(
      `is for the topic ${shown(claims.topic)}`,
      'exchange the token files, or correct the topic in the configuration',
    )
  const kinds = use.session === undefined ? ['session'] : ['shell', 'connect']
  if (claims.prefix !== '' && !kinds.includes(claims.prefix))
    tell(`is for connections of the kind ${shown(claims.prefix)}, not ${kinds.join(' or ')}`)
  const base = use.access.replace(/\/+$/, '')
  if (
    claims.audiences.length > 0 &&
    !claims.audiences.some((audience) => audience === use.access || audience === base)
  )
    verdicts.push(
      warning(
        `${name} is for ${shown(claims.audiences.join(', '))}, and the configuration says ${use.access}`,
        'the two must be equal letter by letter unless the relay is reached under another address than its own',
      ),
    )
  if (use.needs.includes('host') && !claims.scopes.includes('host'))
    tell('is no token of a host: its scope must be "host"')
  if (use.needs.includes('write') && !claims.scopes.includes('write'))
    tell('may not write, and something here has to send to the topic')
  if (use.needs.includes('read') && !claims.scopes.includes('read'))
    tell('may not read: commands will not reach the instrument')
  if (use.needs.includes('write') && !use.needs.includes('read') && claims.scopes.includes('read'))
    verdicts.push(ok(`${name} may also read, which is not needed here; one that may only write would do`))
  return [...verdicts, ...judgeTimes(name, claims, nowMs, fetchNew)]
}

function judgeTimes(name: string, claims: Claims, nowMs: number, fetchNew: string): readonly Verdict[] {
  const { expiresAtSec, notBeforeSec, issuedAtSec } = claims
  const verdicts: Verdict[] = []
  const startsAtMs = Math.max(notBeforeSec ?? 0, issuedAtSec ?? 0) * 1000
  if (startsAtMs > nowMs)
    verdicts.push(
      problem(
        `${name} is not valid before ${dateText(startsAtMs)}`,
        'the clock of this machine is probably behind: see clock',
      ),
    )
  if (expiresAtSec === undefined)
    return [...verdicts, warning(`${name} has no end, which relays of the old kind do not take`, fetchNew)]
  if (expiresAtSec > latestSeconds)
    return [...verdicts, warning(`${name} ends in a time that is written wrongly (milliseconds?)`, fetchNew)]
  const days = Math.floor((expiresAtSec * 1000 - nowMs) / dayMs)
  const end = dateText(expiresAtSec * 1000)
  if (expiresAtSec * 1000 <= nowMs) verdicts.push(problem(`${name} has expired on ${end}`, fetchNew))
  else if (days < shortDays) verdicts.push(warning(`${name} expires on ${end}, in ${days} days`, fetchNew))
  else verdicts.push(ok(`${name} is valid until ${end}, for ${days} days`))
  return verdicts
}

function judgeExchange(name: string, exchange: ExchangeOutcome | undefined): readonly Verdict[] {
  if (exchange?.kind === 'accepted') return [ok(`the relay takes ${name}`)]
  if (exchange?.kind === 'refused')
    return [
      problem(
        `${name}: ${exchange.why}`,
        'where nothing else is wrong with it, it was signed with another secret: ask whoever runs the relay for a new one',
      ),
    ]
  return []
}

function dateText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime())
    ? 'a day that is no date'
    : date.toISOString().slice(0, 16).replace('T', ' ')
}

/** A text of a stranger: one line, short. */
function shown(text: string): string {
  const line = text.replaceAll(/[\s\p{C}]+/gu, ' ')
  return JSON.stringify(line.length > 120 ? `${line.slice(0, 117)}...` : line)
}
