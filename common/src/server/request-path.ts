/** Path and query of a request line's target, absolute forms (`http://host/path`) included. Pure. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const relative = /^https?:\/\/[^/?#]*/i.test(target) ? target.replace(/^https?:\/\/[^/?#]*/i, '') : target
  const withoutFragment = relative.split('#', 1)[0] ?? ''
  const mark = withoutFragment.indexOf('?')
  const path = mark < 0 ? withoutFragment : withoutFragment.slice(0, mark)
  return { path: path === '' ? '/' : path, query: mark < 0 ? '' : withoutFragment.slice(mark + 1) }
}

/**
 * Decodes percent escapes once. Bytes that are not UTF-8 become U+FFFD, which no claim equals. Undefined where an
 * escape is broken. Pure.
 */
export function percentDecode(text: string): string | undefined {
  if (!text.includes('%')) return text
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    const bytes = Buffer.from(
      text.replaceAll(/%[0-9A-Fa-f]{2}|[^%]+/g, (part) =>
        part.startsWith('%') ? part.slice(1) : Buffer.from(part).toString('hex'),
      ),
      'hex',
    )
    return bytes.toString('utf8')
  }
}

/** The shortest path with the same meaning: no `//`, `.` or `..`; a trailing slash stays. Pure. */
export function cleanPath(path: string): string {
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') kept.pop()
    else kept.push(part)
  }
  const cleaned = `/${kept.join('/')}`
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned
}
