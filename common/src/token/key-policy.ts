import type { Claims } from './claims.ts'

/** What a public key may sign: kept beside the key at the relay, so that a device cannot widen it. */
export interface KeyPolicy {
  /** Topic patterns: `*` stands for any run of characters. An empty list allows no topic. */
  readonly topics: readonly string[]
  /** Scopes that tokens may carry, such as `read`, `write`. */
  readonly scopes: readonly string[]
  /** Longest time from `iat` (or now, where absent) to `exp`, in seconds. */
  readonly maxLifetimeSec: number
}

/** Says why `claims` go beyond `policy`, in words for a log; undefined when they do not. Pure. */
export function policyBreach(claims: Claims, policy: KeyPolicy, nowSec: number): string | undefined {
  if (claims.topic !== '' && !policy.topics.some((pattern) => matchesTopic(claims.topic, pattern))) {
    return `its key may not sign for the topic "${claims.topic}"`
  }
  const scope = claims.scopes.find((wanted) => !policy.scopes.includes(wanted))
  if (scope !== undefined) return `its key may not give the scope "${scope}"`
  if (claims.expiresAtSec === undefined) return 'its key must say when a token ends'
  const startSec = Math.min(claims.issuedAtSec ?? nowSec, nowSec)
  if (claims.expiresAtSec - startSec > policy.maxLifetimeSec) {
    return `it lives longer than the ${policy.maxLifetimeSec} s its key may give`
  }
  return undefined
}

/** Whether `topic` fits `pattern`, in which `*` stands for any run of characters and all else for itself. Linear. */
export function matchesTopic(topic: string, pattern: string): boolean {
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (parts.length === 1) return topic === pattern
  if (topic.length < first.length + last.length) return false
  if (!topic.startsWith(first) || !topic.endsWith(last)) return false
  let from = first.length
  const end = topic.length - last.length
  for (const part of parts.slice(1, -1)) {
    const at = topic.indexOf(part, from)
    if (at < 0 || at + part.length > end) return false
    from = at + part.length
  }
  return true
}
