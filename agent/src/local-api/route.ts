import { cleanPath, escapePath, type RequestTarget } from './request-target.ts'

/** What a request asks for. */
export type Route =
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'method-not-allowed' }
  | { readonly kind: 'api' }
  | { readonly kind: 'healthcheck' }
  | { readonly kind: 'upload'; readonly feed: string }
  | { readonly kind: 'websocket'; readonly feed: string }
  | { readonly kind: 'put-rule'; readonly of: RuleKind }
  | { readonly kind: 'list-rules'; readonly of: RuleKind }
  | { readonly kind: 'get-rule'; readonly of: RuleKind; readonly name: string }
  | { readonly kind: 'delete-rule'; readonly of: RuleKind; readonly name: string }
  | { readonly kind: 'delete-rules'; readonly of: RuleKind }

export type RuleKind = 'streams' | 'destinations'

/** Names that stand for every rule when deleting: what was meant, and what the old host understands (spec session 9, 24). */
const allNames: ReadonlySet<string> = new Set(['all', 'deleteAll'])

/**
 * The table of spec session 7.1. The method UPDATE arrives here as PUT (see `LocalConnection`); both do the same on
 * every path.
 */
export function routeRequest(method: string, { path, query }: RequestTarget): Route {
  const clean = cleanPath(path)
  if (clean !== path) return { kind: 'redirect', location: escapePath(clean) + query }
  if (path === '/api') return { kind: 'api' }
  if (path === '/healthcheck')
    return method === 'GET' ? { kind: 'healthcheck' } : { kind: 'method-not-allowed' }
  // Names are letters, digits, hyphens and slashes: no underscore, no dot.
  const [, section, name] =
    /^\/(ts|ws|api\/streams|api\/destinations)(?:\/([a-zA-Z0-9\-/]+))?$/.exec(path) ?? []
  switch (section) {
    case 'ts':
      return name === undefined ? { kind: 'not-found' } : { kind: 'upload', feed: name }
    case 'ws':
      return name === undefined ? { kind: 'not-found' } : { kind: 'websocket', feed: name }
    case 'api/streams':
      return routeRules(method, 'streams', name)
    case 'api/destinations':
      return routeRules(method, 'destinations', name)
    default:
      return { kind: 'not-found' }
  }
}

function routeRules(method: string, of: RuleKind, name: string | undefined): Route {
  if (name === undefined) {
    return method === 'PUT' || method === 'POST' ? { kind: 'put-rule', of } : { kind: 'method-not-allowed' }
  }
  if (method === 'GET') return name === 'all' ? { kind: 'list-rules', of } : { kind: 'get-rule', of, name }
  if (method !== 'DELETE') return { kind: 'method-not-allowed' }
  return allNames.has(name) ? { kind: 'delete-rules', of } : { kind: 'delete-rule', of, name }
}
