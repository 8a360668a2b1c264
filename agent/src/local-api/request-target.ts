/** The parts of a request's first line that a router needs. `path` has its escapes decoded, one character a byte. */
export interface RequestTarget {
  readonly path: string
  /** With the question mark; '' where there is none. */
  readonly query: string
  /** Only where the client wrote a whole address; it then counts instead of the Host header. */
  readonly host?: string
}

/** Reads a request target as the Go server does; undefined is a bad request. */
export function parseRequestTarget(target: string): RequestTarget | undefined {
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(target)
  const local = absolute === null ? target : (absolute[2] ?? '')
  const queryAt = local.indexOf('?')
  const rawPath = queryAt === -1 ? local : local.slice(0, queryAt)
  const path = decodeEscapes(absolute !== null && rawPath === '' ? '/' : rawPath)
  if (path === undefined || !path.startsWith('/')) return undefined
  const query = queryAt === -1 ? '' : local.slice(queryAt)
  const host = absolute?.[1]
  return host === undefined ? { path, query } : { path, query, host }
}

/**
 * The path without empty, `.` and `..` segments; one slash at the end stays. A path which changes by this is
 * redirected (spec session 7.1).
 */
export function cleanPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const end = path.endsWith('/') && segments.length > 0 ? '/' : ''
  return `/${segments.join('/')}${end}`
}

/** The path with everything escaped that may not stand in an address; the opposite of decoding. */
export function escapePath(path: string): string {
  return path.replaceAll(
    /[^A-Za-z0-9\-_.~$&+,/:;=@]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

function decodeEscapes(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
