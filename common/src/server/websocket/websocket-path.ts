import { cleanPath, percentDecode, splitTarget } from '../request-path.ts'

/** What the address of a request on the websocket port means (spec session 3.4, 5 and 6.1). */
export type WebsocketPath =
  | { readonly kind: 'bad-escape' }
  | { readonly kind: 'moved'; readonly location: string }
  | { readonly kind: 'not-found' }
  | WebsocketAddress

/** An address where a websocket may begin. */
export interface WebsocketAddress {
  readonly kind: 'websocket'
  /** The first segment of the path. */
  readonly prefix: string
  /** Everything behind it, without one trailing slash. */
  readonly topic: string
  /** The first parameter `code`; '' where there is none. */
  readonly code: string
}

/** Reads the target of a request line; only paths that begin with one of `prefixes` are there. Pure; never throws. */
export function readWebsocketPath(target: string, prefixes: readonly string[]): WebsocketPath {
  const { path: rawPath, query } = splitTarget(target)
  const path = percentDecode(rawPath)
  if (path === undefined) return { kind: 'bad-escape' }
  const cleaned = cleanPath(path)
  if (cleaned !== path) {
    return { kind: 'moved', location: `${encodePath(cleaned)}${query === '' ? '' : `?${query}`}` }
  }
  const [, prefix = '', rest = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? []
  if (!prefixes.includes(prefix)) return { kind: 'not-found' }
  return {
    kind: 'websocket',
    prefix,
    topic: rest.endsWith('/') ? rest.slice(0, -1) : rest,
    code: new URLSearchParams(query).get('code') ?? '',
  }
}

/**
 * Whether an address with `asked` as its topic serves a code for `topic`: it is equal, or the part is that the old
 * programs read: they stop at the first character outside of letters, digits, `_` and 0x25 to 0x2F. Pure.
 */
export function servesTopic(asked: string, topic: string): boolean {
  return topic !== '' && (asked === topic || (/^[A-Za-z0-9_%-/]*/.exec(asked)?.[0] ?? '') === topic)
}

/** Escapes a path as a URL needs it; slashes stay. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
