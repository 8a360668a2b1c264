import { readTokenClaims } from './token-claims.ts'

/** One stream of the booked activity, ready to be joined. */
export interface Stream {
  /** The key of the stream within the activity: `data`, `video`. */
  readonly for: string
  /** Where the token is POSTed: `https://<access>/session/<topic>`. */
  readonly url: string
  readonly token: string
  readonly canRead: boolean
  readonly canWrite: boolean
  /** Undefined where the token does not say. */
  readonly expiresAtMs: number | undefined
}

/** Everything the booking page handed over. */
export interface LabParameters {
  /** One per camera, in the order given. */
  readonly video: readonly Stream[]
  readonly data: Stream | undefined
  /** End of the booking: the earliest of `exp` and the tokens' own ends. */
  readonly expiresAtMs: number | undefined
  /** Address of the experiment's settings file, or the settings themselves as JSON text. */
  readonly config: string | undefined
  /** Names of streams that are neither video nor data, so that the page can say that it does not show them. */
  readonly unused: readonly string[]
}

/** Why the link cannot be used. `texts.ts` has the sentence for each. */
export type ParameterProblem =
  | { readonly code: 'no-streams' }
  | { readonly code: 'bad-json' }
  | { readonly code: 'not-a-list' }
  | { readonly code: 'empty-list' }
  | { readonly code: 'bad-stream'; readonly position: number; readonly field: 'stream' | 'url' | 'token' }
  | { readonly code: 'insecure-stream'; readonly position: number }
  | { readonly code: 'no-usable-stream'; readonly names: readonly string[] }
  | { readonly code: 'bad-exp'; readonly text: string }
  | { readonly code: 'expired'; readonly endedAtMs: number }

export type ReadParameters =
  | { readonly ok: true; readonly parameters: LabParameters }
  | { readonly ok: false; readonly problem: ParameterProblem }

export interface LinkParts {
  /** `location.hash`, with its `#`; wins over the query. */
  readonly hash: string
  /** `location.search`, with its `?`: how manifests of the older generation hand over. */
  readonly search: string
  /** `https:` where the page was loaded securely: browsers then refuse plain `http:` streams. */
  readonly protocol: string
}

/** Longer links are refused by servers and browsers anyway; no more than this is parsed. */
const maxStreamsCharacters = 200_000

/**
 * Reads what a booking page put into the link (booking spec 10): `streams` = encodeURIComponent(JSON), `exp` in Unix
 * seconds, `config`. Takes both generations of the streams' JSON: with `permission` (spec 1.2) and flat (spec 9.4).
 */
export function readParameters(parts: LinkParts, nowMs: number): ReadParameters {
  const inHash = new URLSearchParams(parts.hash.replace(/^#/, ''))
  const values = inHash.has('streams') ? inHash : new URLSearchParams(parts.search)
  const text = values.get('streams')
  if (text === null || text.trim() === '') return refuse({ code: 'no-streams' })
  const list = parseList(text)
  if (!list.ok) return list
  const streams: Stream[] = []
  for (const [index, item] of list.items.entries()) {
    const stream = readStream(item, index + 1, parts.protocol)
    if (!stream.ok) return stream
    streams.push(stream.stream)
  }
  const exp = readExp(values.get('exp'))
  if (exp === 'unreadable') return refuse({ code: 'bad-exp', text: (values.get('exp') ?? '').slice(0, 40) })
  return assemble(streams, exp, values.get('config'), nowMs)
}

type Refused = { readonly ok: false; readonly problem: ParameterProblem }

function refuse(problem: ParameterProblem): Refused {
  return { ok: false, problem }
}

function parseList(text: string): { readonly ok: true; readonly items: readonly unknown[] } | Refused {
  if (text.length > maxStreamsCharacters) return refuse({ code: 'bad-json' })
  let value: unknown
  try {
    // Templates that encode a value which is encoded already give %5B at the start instead of [.
    value = JSON.parse(text.startsWith('%') ? decodeURIComponent(text) : text)
  } catch {
    return refuse({ code: 'bad-json' })
  }
  if (!Array.isArray(value)) return refuse({ code: 'not-a-list' })
  if (value.length === 0) return refuse({ code: 'empty-list' })
  return { ok: true, items: value }
}

function readStream(
  item: unknown,
  position: number,
  pageProtocol: string,
): { readonly ok: true; readonly stream: Stream } | Refused {
  if (typeof item !== 'object' || item === null)
    return refuse({ code: 'bad-stream', position, field: 'stream' })
  const fields = item as Record<string, unknown>
  const address = typeof fields.url === 'string' ? parseHttpUrl(fields.url) : undefined
  if (address === undefined) return refuse({ code: 'bad-stream', position, field: 'url' })
  if (pageProtocol === 'https:' && address.protocol === 'http:' && !isLoopback(address.hostname)) {
    return refuse({ code: 'insecure-stream', position })
  }
  // Visible ASCII: anything else cannot be sent in a header.
  if (typeof fields.token !== 'string' || !/^[\x21-\x7e]+$/.test(fields.token.trim())) {
    return refuse({ code: 'bad-stream', position, field: 'token' })
  }
  const token = fields.token.trim()
  const claims = readTokenClaims(token)
  const scopes = claims.scopes ?? readScopes(fields)
  return {
    ok: true,
    stream: {
      for: nameOf(fields, claims.topic, address),
      url: address.href,
      token,
      canRead: scopes?.includes('read') ?? true,
      canWrite: scopes?.includes('write') ?? true,
      expiresAtMs: claims.expiresAtMs,
    },
  }
}

function parseHttpUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text)) return undefined
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

/** `permission.scopes` of the older generation, `scopes` of the newer one. */
function readScopes(fields: Record<string, unknown>): readonly unknown[] | undefined {
  const permission = fields.permission as { readonly scopes?: unknown } | null | undefined
  const scopes = permission?.scopes ?? fields.scopes
  return Array.isArray(scopes) ? scopes : undefined
}

/** What the stream is for; a stream without a name is known by its topic, `<experiment>-video`. */
function nameOf(fields: Record<string, unknown>, tokenTopic: string | undefined, address: URL): string {
  if (typeof fields.for === 'string' && fields.for !== '') return fields.for
  const permission = fields.permission as { readonly topic?: unknown } | null | undefined
  const topic = permission?.topic ?? fields.topic ?? tokenTopic
  return typeof topic === 'string' && topic !== '' ? topic : (address.pathname.split('/').at(-1) ?? '')
}

/** Unix seconds, whole or not. Thirteen digits are milliseconds by mistake: no booking ends in the year 5138. */
function readExp(text: string | null): number | undefined | 'unreadable' {
  // Templates whose variables were not filled in hand over nothing, or the braces themselves.
  if (text === null || text.trim() === '' || text.includes('{{')) return undefined
  const seconds = Number(text)
  if (!Number.isFinite(seconds) || seconds <= 0) return 'unreadable'
  return seconds >= 1e11 ? seconds : seconds * 1000
}

function assemble(
  streams: readonly Stream[],
  expMs: number | undefined,
  config: string | null,
  nowMs: number,
): ReadParameters {
  const video = streams.filter((stream) => isVideo(stream.for))
  const data = streams.find((stream) => isData(stream.for))
  if (video.length === 0 && data === undefined) {
    return refuse({ code: 'no-usable-stream', names: streams.map((stream) => stream.for) })
  }
  const used = data === undefined ? video : [...video, data]
  const expiresAtMs = earliest([expMs, ...used.map((stream) => stream.expiresAtMs)])
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) {
    return refuse({ code: 'expired', endedAtMs: expiresAtMs })
  }
  return {
    ok: true,
    parameters: {
      video,
      data,
      expiresAtMs,
      config: config === null || config.trim() === '' || config.includes('{{') ? undefined : config.trim(),
      unused: streams.filter((stream) => !used.includes(stream)).map((stream) => stream.for),
    },
  }
}

function isVideo(name: string): boolean {
  return /video|camera/i.test(name)
}

function isData(name: string): boolean {
  return /data/i.test(name) && !isVideo(name)
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
