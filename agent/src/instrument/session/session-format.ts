import { isUtf8 } from 'node:buffer'

/** Begins a session in a file; a file may hold several, one after the other. */
export interface SessionHeader {
  readonly kind: 'header'
  /** Wall clock, ISO 8601. */
  readonly startedAt: string
  readonly instrument: string
  readonly device: string
}

/** Bytes of the instrument (`in`) or for it (`out`), so many milliseconds after the beginning. */
export interface SessionData {
  readonly kind: 'data'
  readonly ms: number
  readonly direction: 'in' | 'out'
  readonly data: Buffer
}

/** The link was opened or lost. */
export interface SessionEvent {
  readonly kind: 'event'
  readonly ms: number
  readonly event: 'opened' | 'closed'
  readonly about: string
}

export type SessionEntry = SessionHeader | SessionData | SessionEvent
export type ParsedLine =
  | { readonly ok: true; readonly entry: SessionEntry }
  | { readonly ok: false; readonly refusal: string }

const format = 'relay-session'
const version = 1

/**
 * One line of a session file, with its end. Bytes that are UTF-8 stand as `text`, others as `base64`; both give the
 * same bytes again. The format is described in `README.md` of this folder. Pure.
 */
export function formatLine(entry: SessionEntry): string {
  return `${JSON.stringify(valueOf(entry))}\n`
}

function valueOf(entry: SessionEntry): object {
  switch (entry.kind) {
    case 'header': {
      const { startedAt, instrument, device } = entry
      return { format, version, startedAt, instrument, device }
    }
    case 'data': {
      const { ms, direction, data } = entry
      return isUtf8(data)
        ? { ms, [direction]: data.toString('utf8') }
        : { ms, [direction]: { base64: data.toString('base64') } }
    }
    case 'event':
      return { ms: entry.ms, event: entry.event, about: entry.about }
  }
  return {}
}

/** Reads one line; unknown events and keys of later versions with the same number are refused. Pure. */
export function parseLine(line: string): ParsedLine {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return refuse('it is no JSON')
  }
  if (typeof value !== 'object' || value === null) return refuse('it is no object')
  return 'format' in value ? parseHeader(value) : parseTimed(value)
}

function parseHeader(value: object): ParsedLine {
  const header = value as Readonly<Record<string, unknown>>
  if (header.format !== format) return refuse(`it is no "${format}"`)
  if (header.version !== version) return refuse(`its version is not ${version}`)
  const { startedAt, instrument, device } = header
  if (typeof startedAt !== 'string' || typeof instrument !== 'string' || typeof device !== 'string')
    return refuse('startedAt, instrument or device is missing')
  return { ok: true, entry: { kind: 'header', startedAt, instrument, device } }
}

function parseTimed(value: object): ParsedLine {
  const { ms, event, about, ...rest } = value as Readonly<Record<string, unknown>>
  if (typeof ms !== 'number' || ms < 0) return refuse('ms is missing or below 0')
  if (event === 'opened' || event === 'closed')
    return { ok: true, entry: { kind: 'event', ms, event, about: typeof about === 'string' ? about : '' } }
  for (const direction of ['in', 'out'] as const) {
    const data = bytesOf(rest[direction])
    if (data !== undefined) return { ok: true, entry: { kind: 'data', ms, direction, data } }
  }
  return refuse('it holds neither "in" nor "out" nor an event')
}

function bytesOf(written: unknown): Buffer | undefined {
  if (typeof written === 'string') return Buffer.from(written, 'utf8')
  if (typeof written !== 'object' || written === null || !('base64' in written)) return undefined
  return typeof written.base64 === 'string' ? Buffer.from(written.base64, 'base64') : undefined
}

function refuse(refusal: string): ParsedLine {
  return { ok: false, refusal }
}
