import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { errorCode } from '@relay/common/errors'
import { type Environment, proxyFor } from '@relay/common/proxy'
import type { Check } from '../run-checks.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

export interface LookupFacts {
  readonly host: string
  /** `the relay`, `the proxy`. */
  readonly role: string
  readonly addresses: readonly string[]
  /** Why there are none: `ENOTFOUND`, `EAI_AGAIN`, `TIMEOUT`. */
  readonly failure: string | undefined
  readonly tookMs: number
}

export interface NetworkDeps {
  readonly environment: Environment
  readonly monotonicMs: () => number
  /** Default: that of the system. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
}

const lookupWithinMs = 8_000
const slowMs = 2_000

export function dnsCheck(addresses: readonly string[], deps: NetworkDeps): Check {
  return {
    area: 'DNS',
    look: async (signal) => {
      const hosts = hostsToAsk(addresses, deps.environment)
      const facts = await Promise.all(
        [...hosts].map(([host, role]) => gatherLookup(host, role, deps, signal)),
      )
      return judgeLookups(facts)
    },
  }
}

/** The names that must be found, with what they are: a proxy finds the relay by itself. Pure. */
export function hostsToAsk(
  addresses: readonly string[],
  environment: Environment,
): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>()
  for (const address of addresses) {
    const url = URL.parse(address)
    if (url === null) continue
    const proxy = proxyOf(url, environment)
    const [host, role] = proxy === undefined ? [url.hostname, 'the relay'] : [proxy.hostname, 'the proxy']
    const bare = host.replace(/^\[(.*)\]$/, '$1')
    if (bare !== '' && isIP(bare) === 0) hosts.set(bare, role)
  }
  return hosts
}

function proxyOf(url: URL, environment: Environment): URL | undefined {
  try {
    return proxyFor(url, environment)
  } catch {
    return undefined
  }
}

async function gatherLookup(
  host: string,
  role: string,
  { monotonicMs, resolve = systemLookup }: NetworkDeps,
  signal: AbortSignal,
): Promise<LookupFacts> {
  const startedAtMs = monotonicMs()
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(lookupWithinMs)])
  const late = new Promise<'TIMEOUT'>((done) => {
    deadline.addEventListener('abort', () => done('TIMEOUT'), { once: true })
  })
  const outcome = await Promise.race([
    resolve(host).catch((error: unknown) => errorCode(error) ?? 'no code'),
    late,
  ])
  const tookMs = monotonicMs() - startedAtMs
  return typeof outcome === 'string'
    ? { host, role, addresses: [], failure: outcome, tookMs }
    : { host, role, addresses: outcome, failure: undefined, tookMs }
}

async function systemLookup(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/** Pure. */
export function judgeLookups(lookups: readonly LookupFacts[]): readonly Verdict[] {
  if (lookups.length === 0) return [ok('no name has to be looked up')]
  return lookups.map(({ host, role, addresses, failure, tookMs }) => {
    if (failure === 'ENOTFOUND' || failure === 'ENODATA')
      return problem(
        `the name of ${role}, ${host}, is not found`,
        'check its spelling in the configuration; "ip route" must show a default route and "resolvectl status" a server',
      )
    if (failure !== undefined)
      return problem(
        `the name of ${role}, ${host}, cannot be looked up (${failure})`,
        'the network may be down or its DNS server not answering: see "ip addr", "ip route" and "resolvectl status"',
      )
    const found = `${host} is ${addresses.slice(0, 4).join(', ')}`
    return tookMs > slowMs
      ? warning(
          `${found}, but looking it up took ${(tookMs / 1000).toFixed(1)} s`,
          'one of the DNS servers does not answer: see "resolvectl status"',
        )
      : ok(found)
  })
}

export interface ProxyFacts {
  readonly address: string
  readonly outcome:
    | { readonly kind: 'none' }
    | { readonly kind: 'used'; readonly host: string }
    | { readonly kind: 'wrong'; readonly why: string }
}

const proxyVariables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const

export interface ProxySettings {
  readonly addresses: readonly string[]
  readonly environment: Environment
  /** Of the unit, as systemd shows it and as its file has it: `A=1 B=2`; undefined where there is no unit. */
  readonly unitEnvironment: string | undefined
}

export function proxyCheck(settings: () => Promise<ProxySettings>): Check {
  return { area: 'proxy', look: async () => judgeProxies(await settings()) }
}

/** Pure. Never shows the value of a variable: it may hold a password. */
export function judgeProxies({ addresses, environment, unitEnvironment }: ProxySettings): readonly Verdict[] {
  const verdicts: Verdict[] = []
  for (const address of addresses) {
    const url = URL.parse(address)
    if (url === null) continue
    try {
      const proxy = proxyFor(url, environment)
      if (proxy !== undefined) verdicts.push(ok(`${url.host} is reached through the proxy ${proxy.host}`))
    } catch (error) {
      verdicts.push(
        problem(
          error instanceof Error ? error.message : String(error),
          'correct or unset the variable, here and in the service',
        ),
      )
    }
  }
  const here = proxyVariables.filter((name) => (environment[name] ?? '') !== '')
  if (unitEnvironment !== undefined) {
    const inUnit = proxyVariables.filter((name) => new RegExp(`(?:^|\\s)"?${name}=`).test(unitEnvironment))
    if (here.length > 0 && inUnit.length === 0)
      verdicts.push(
        warning(
          `${here.join(' and ')} is set here and not for the service`,
          'services do not see what a shell or /etc/environment sets: write it into /etc/default/relay-agent as well',
        ),
      )
    if (here.length === 0 && inUnit.length > 0)
      verdicts.push(
        unknown(
          `${inUnit.join(' and ')} is set for the service and not here: what was asked of the relay went another way`,
          'run the doctor with the same variables',
        ),
      )
  }
  return verdicts.length > 0 ? verdicts : [ok('none is used')]
}
