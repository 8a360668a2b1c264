import type { Control } from './plant.ts'

/** What an instrument can be asked, see the protocol in the folder's README. */
export type Command =
  | { readonly kind: 'set'; readonly param: string; readonly value: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'rate'; readonly hz: number }
  | { readonly kind: 'ping'; readonly id: number | string }
  | { readonly kind: 'describe' }

export type ParsedCommand =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly error: string }

export const slowestRateHz = 0.1
export const fastestRateHz = 200
const longestPingId = 64
const longestQuote = 40

/** Reads one line. Whatever the bytes are, the answer is a command whose numbers are in range, or one sentence. Pure. */
export function parseCommand(line: string, controls: readonly Control[]): ParsedCommand {
  const message = parseObject(line)
  if (message === undefined) return refuse('expected a JSON object such as {"cmd":"ping","id":1}')
  switch (message['cmd']) {
    case 'set':
      return parseSet(message, controls)
    case 'rate':
      return parseRate(message)
    case 'ping':
      return parsePing(message)
    case 'start':
      return { ok: true, command: { kind: 'start' } }
    case 'stop':
      return { ok: true, command: { kind: 'stop' } }
    case 'describe':
      return { ok: true, command: { kind: 'describe' } }
    case undefined:
      return refuse('"cmd" is missing: use set, start, stop, rate, ping or describe')
    default:
      return refuse(`unknown cmd ${quote(message['cmd'])}: use set, start, stop, rate, ping or describe`)
  }
}

function parseSet(message: Readonly<Record<string, unknown>>, controls: readonly Control[]): ParsedCommand {
  const { param, value } = message
  const control = controls.find((one) => one.param === param)
  if (control === undefined) {
    const names = controls.map((one) => one.param).join(', ')
    return refuse(`unknown param ${quote(param)}: use one of ${names}`)
  }
  const { min, max, unit } = control
  if (!isWithin(value, min, max)) {
    return refuse(`${control.param} must be a number from ${min} to ${max} ${unit}, not ${quote(value)}`)
  }
  return { ok: true, command: { kind: 'set', param: control.param, value } }
}

function parseRate(message: Readonly<Record<string, unknown>>): ParsedCommand {
  const { hz } = message
  if (!isWithin(hz, slowestRateHz, fastestRateHz)) {
    return refuse(`hz must be a number from ${slowestRateHz} to ${fastestRateHz}, not ${quote(hz)}`)
  }
  return { ok: true, command: { kind: 'rate', hz } }
}

function parsePing(message: Readonly<Record<string, unknown>>): ParsedCommand {
  const { id } = message
  const isNumber = typeof id === 'number' && Number.isFinite(id)
  const isText = typeof id === 'string' && id.length <= longestPingId
  if (!isNumber && !isText) {
    return refuse(`id of a ping must be a number or a text of at most ${longestPingId} characters`)
  }
  return { ok: true, command: { kind: 'ping', id } }
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max
}

/** What was sent, as JSON and cut short: an answer must not carry a stranger's bytes back unbounded. */
function quote(value: unknown): string {
  if (typeof value === 'number') return String(value)
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > longestQuote ? `${text.slice(0, longestQuote)}...` : text
}

function refuse(error: string): ParsedCommand {
  return { ok: false, error }
}
