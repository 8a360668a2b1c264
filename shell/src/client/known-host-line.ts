import { createHmac } from 'node:crypto'

/** What a line of a `known_hosts` says (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
export interface KnownHostLine {
  /** As they stand there: patterns with commas between them, or one hashed name. */
  readonly names: string
  /** Type and key. */
  readonly key: string
  /** When a device signed the key, in seconds of 1970, as the comment says; 0 where it does not say. */
  readonly signedAtSec: number
}

export const signedWord = 'signed='

/** Undefined for what is no plain line of names and a key: a comment, a marked line (`@revoked`), what is cut. Pure. */
export function parseKnownHostLine(line: string): KnownHostLine | undefined {
  // Blanks and the end of a line as ssh takes them: whoever sees other words misses a name that ssh finds.
  const words = line
    .replace(/\r+$/, '')
    .replace(/^[ \t]+/, '')
    .split(/[ \t]+/)
  const [names = '', type = '', key = '', ...comment] = words
  if (key === '' || /^[#@]/.test(names)) return undefined
  const times = comment.flatMap((word) => word.split(/\s+/)).map(signedAtSecOf)
  return { names, key: `${type} ${key}`, signedAtSec: Math.max(0, ...times) }
}

/**
 * Whether ssh takes the names of a line for those of a host that it looks up by its alias `id`. A name with a port
 * (`[pend00]:2222`) is never that of an alias. Pure.
 */
export function meansHost(names: string, id: string): boolean {
  // Ssh writes names in small letters and compares them so.
  const host = id.toLowerCase()
  if (names.startsWith('|')) return isHashOf(names, id) || isHashOf(names, host)
  const patterns = names.toLowerCase().split(',')
  return (
    patterns.some((pattern) => matchesPattern(host, pattern)) &&
    !patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(host, pattern.slice(1)))
  )
}

/** The line without one of its hosts; undefined where it names no other. Other hosts keep their key. Pure. */
export function withoutHost(line: string, names: string, id: string): string | undefined {
  if (names.startsWith('|')) return undefined
  const host = id.toLowerCase()
  const others = names.split(',').filter((pattern) => pattern.toLowerCase() !== host)
  if (others.every((pattern) => pattern === '' || pattern.startsWith('!'))) return undefined
  // A pattern such as "pend*" means it still.
  const rest = meansHost(others.join(','), id) ? [...others, `!${id}`] : others
  return line.replace(names, () => rest.join(','))
}

/** `|1|salt|hash`, both in base64: HMAC-SHA1 of the name. */
function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt, hash] = hashed.split('|')
  if (version !== '1' || salt === undefined || hash === undefined) return false
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
}

/** `*` stands for any text, `?` for one character. Goes back to the last `*` only, so that no pattern takes long. */
function matchesPattern(text: string, pattern: string): boolean {
  let at = 0
  let inPattern = 0
  let star = -1
  let atStar = 0
  while (at < text.length) {
    const sign = pattern[inPattern]
    if (sign === '*') {
      star = inPattern++
      atStar = at
    } else if (sign === '?' || sign === text[at]) {
      at++
      inPattern++
    } else if (star >= 0) {
      inPattern = star + 1
      at = ++atStar
    } else return false
  }
  return /^\**$/.test(pattern.slice(inPattern))
}

function signedAtSecOf(word: string): number {
  const atMs = word.startsWith(signedWord) ? Date.parse(word.slice(signedWord.length)) : Number.NaN
  return Number.isNaN(atMs) ? 0 : Math.floor(atMs / 1000)
}
