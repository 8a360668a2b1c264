/** One connection at a relay, as far as its report tells: old relays tell less. */
export interface Connection {
  /** The experiment, or `stats`. */
  readonly id: string
  /** Names the session that the connection belongs to; undefined for a host's own link. */
  readonly session: string | undefined
  /** What it is: `host`, `client`, `session`, `stats`, …. */
  readonly role: string
  /** RFC 3339; undefined where it cannot be read. */
  readonly since: string | undefined
  readonly remote: string
  readonly program: string
  /** Sent by the connection, and to it; undefined where the relay does not tell. */
  readonly bytesFrom: number | undefined
  readonly bytesTo: number | undefined
  /** What the relay says of the session, such as `live`. */
  readonly state: string | undefined
}

/**
 * Reads a report of the topic `stats` of any relay: v0.2.2 (specification 5.3), its successor (9.2), ours. Undefined for
 * every other message, of which there are some on the topic. The relay's own entry is left out. Pure.
 */
export function parseStatsReport(text: string): readonly Connection[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(value)) return undefined
  return value
    .filter((element): element is Element => typeof element === 'object' && element !== null)
    .map(readElement)
    .filter((connection) => connection !== undefined)
}

type Element = Readonly<Record<string, unknown>>

function readElement(element: Element): Connection | undefined {
  const topic = textOf(element, 'topic')
  const remote = textOf(element, 'remoteAddr', 'remote_address')
  if (topic === '' || remote === 'internal') return undefined
  const slash = topic.indexOf('/')
  const id = textOf(element, 'id') || (slash < 0 ? topic : topic.slice(0, slash))
  // Old relays join the connection id, which has 36 characters, and a salt that is nobody's business.
  const session = slash < 0 ? undefined : topic.slice(slash + 1, slash + 37)
  return {
    id,
    session,
    role: textOf(element, 'role') || roleOf(id, session),
    since: timeOf(textOf(element, 'connected', 'connected_at')),
    remote,
    program: textOf(element, 'userAgent', 'user_agent'),
    bytesFrom: countOf(element['bytesFrom']),
    bytesTo: countOf(element['bytesTo']),
    state: textOf(element, 'session') || undefined,
  }
}

function roleOf(id: string, session: string | undefined): string {
  if (id === 'stats') return 'stats'
  return session === undefined ? 'host' : 'session'
}

function textOf(element: Element, ...names: readonly string[]): string {
  for (const name of names) {
    const value = element[name]
    if (typeof value === 'string' && value !== '') return value
  }
  return ''
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

/** RFC 3339, or Go's `2022-03-01 10:11:12.123456789 +0000 UTC m=+12.345`. */
function timeOf(text: string): string | undefined {
  const [, day, time, zone] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)/.exec(text) ?? []
  if (day === undefined || zone === undefined) return undefined
  const ms = Date.parse(`${day}T${time}${zone === 'Z' ? zone : `${zone.slice(0, 3)}:${zone.slice(-2)}`}`)
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z')
}
