import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'

/** What a guard looks at; all of it is chosen by the client. */
export interface RequestOrigin {
  /** The Host header, or the host of a whole address in the first line. */
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site`, which browsers add and pages cannot change. */
  readonly fetchSite: string | undefined
}

export interface GuardPolicy {
  /** Names, in lower case and without port, under which this machine may be addressed. */
  readonly hostNames: ReadonlySet<string>
  /** Whether addresses other than loopback are fine: true when the API listens on the network. */
  readonly allowsAnyAddress: boolean
  /** Origins (`https://lab.example.org`) whose pages may use this API. */
  readonly origins: ReadonlySet<string>
}

export type GuardVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'host' | 'origin'; readonly sentence: string }

/**
 * Decides whether a request may come from where it comes from.
 *
 * A program on this machine sends no Origin, or that of the API itself (some websocket libraries). A web page cannot
 * hide its origin, so any other origin is a page somewhere that reaches into this machine (spec session 9, 9). A page
 * whose name was made to point to this machine has the right origin, but the wrong Host.
 */
export function guardRequest({ host, origin, fetchSite }: RequestOrigin, policy: GuardPolicy): GuardVerdict {
  if (host !== undefined && !isOwnHost(host, policy)) {
    return {
      ok: false,
      reason: 'host',
      sentence:
        'the Host header does not name this machine; use localhost, or allow the name in the configuration',
    }
  }
  const isForeign = origin === undefined ? isForeignSite(fetchSite) : !isAllowedOrigin(origin, host, policy)
  if (!isForeign) return { ok: true }
  return {
    ok: false,
    reason: 'origin',
    sentence:
      'web pages of this origin may not use this API; allow the origin in the configuration if it is yours',
  }
}

/** What a request says about where it comes from; `targetHost` is that of a whole address in its first line. */
export function originOf(headers: IncomingHttpHeaders, targetHost?: string): RequestOrigin {
  const fetchSite = headers['sec-fetch-site']
  return {
    host: targetHost ?? headers.host,
    origin: headers.origin,
    fetchSite: Array.isArray(fetchSite) ? fetchSite.join(', ') : fetchSite,
  }
}

function isForeignSite(fetchSite: string | undefined): boolean {
  return fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none'
}

function isAllowedOrigin(origin: string, host: string | undefined, { origins }: GuardPolicy): boolean {
  if (origins.has(origin)) return true
  return host !== undefined && origin.toLowerCase() === `http://${host.toLowerCase()}`
}

function isOwnHost(host: string, { hostNames, allowsAnyAddress }: GuardPolicy): boolean {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{0,5})?$/.exec(host)
  if (parts === null) return false
  const name = (parts[1] ?? parts[2] ?? '').toLowerCase().replace(/\.$/, '')
  if (isIP(name) !== 0) return allowsAnyAddress || isLoopbackAddress(name) || hostNames.has(name)
  return name === 'localhost' || name.endsWith('.localhost') || hostNames.has(name)
}

/** An address of this machine that no other machine can reach, IPv4 written as IPv6 included. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  return plain === '::1' || (plain.startsWith('127.') && isIP(plain) === 4)
}
