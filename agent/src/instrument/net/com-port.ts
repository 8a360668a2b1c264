import type { LineSettings, Parity } from '../tty/line-settings.ts'

/** Commands of a client (RFC 2217, section 3); a server answers with the same number and 100 more. */
export const SET_BAUDRATE = 1
export const SET_DATASIZE = 2
export const SET_PARITY = 3
export const SET_STOPSIZE = 4
export const SET_CONTROL = 5
export const FLOWCONTROL_SUSPEND = 8
export const FLOWCONTROL_RESUME = 9
export const SET_LINESTATE_MASK = 10
export const SET_MODEMSTATE_MASK = 11
export const PURGE_DATA = 12
const ofServer = 100

const parities: Readonly<Record<Parity, number>> = { none: 1, odd: 2, even: 3 }
const noFlowControl = 1
const hardwareFlowControl = 3
export const dtrOn = 8
export const dtrOff = 9
export const rtsOn = 11
export const rtsOff = 12
const purgeBoth = 3

/** One thing to be set at the other end. */
export interface ComPortRequest {
  readonly command: number
  readonly payload: Buffer
  /** For people. */
  readonly what: string
  /** What the server must answer. */
  readonly expected: number
}

export type ComPortAnswer =
  | { readonly kind: 'value'; readonly command: number; readonly value: number }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'resume' }
  /** States of lines and modems, signatures, and what makes no sense. */
  | { readonly kind: 'other' }

/** What sets a line at the other end as it is configured. Pure. */
export function lineRequests({
  baudRate,
  dataBits,
  parity,
  stopBits,
  rtscts,
}: LineSettings): readonly ComPortRequest[] {
  const baud = Buffer.alloc(5)
  baud[0] = SET_BAUDRATE
  baud.writeUInt32BE(baudRate, 1)
  return [
    { command: SET_BAUDRATE, payload: baud, what: 'the baud rate', expected: baudRate },
    byteRequest(SET_DATASIZE, dataBits, 'the data bits'),
    byteRequest(SET_PARITY, parities[parity], 'the parity'),
    byteRequest(SET_STOPSIZE, stopBits, 'the stop bits'),
    controlRequest(rtscts ? hardwareFlowControl : noFlowControl, 'the flow control'),
  ]
}

/** Servers tell the rate that they have made, which a divisor may miss; a line bears a few percent. */
const baudTolerance = 0.03

/** Whether a server has done what it was asked for. Pure. */
export function isConfirmed({ command, expected }: ComPortRequest, value: number): boolean {
  if (command !== SET_BAUDRATE) return value === expected
  return Math.abs(value - expected) <= expected * baudTolerance
}

/** A control line or the flow control. Pure. */
export function controlRequest(value: number, what: string): ComPortRequest {
  return byteRequest(SET_CONTROL, value, what)
}

/** What needs no answer: states of lines and modems are not wanted, and old data is thrown away. Pure. */
export function quietRequests(): readonly Buffer[] {
  return [
    Buffer.of(SET_LINESTATE_MASK, 0),
    Buffer.of(SET_MODEMSTATE_MASK, 0),
    Buffer.of(PURGE_DATA, purgeBoth),
  ]
}

function byteRequest(command: number, value: number, what: string): ComPortRequest {
  return { command, payload: Buffer.of(command, value), what, expected: value }
}

/** What a server says in a subnegotiation; takes every input. Pure. */
export function parseComPort(payload: Buffer): ComPortAnswer {
  const command = (payload[0] ?? 0) - ofServer
  switch (command) {
    case SET_BAUDRATE:
      return payload.length === 5
        ? { kind: 'value', command, value: payload.readUInt32BE(1) }
        : { kind: 'other' }
    case SET_DATASIZE:
    case SET_PARITY:
    case SET_STOPSIZE:
    case SET_CONTROL:
      return payload.length === 2 ? { kind: 'value', command, value: payload[1] ?? 0 } : { kind: 'other' }
    case FLOWCONTROL_SUSPEND:
      return { kind: 'suspend' }
    case FLOWCONTROL_RESUME:
      return { kind: 'resume' }
    default:
      return { kind: 'other' }
  }
}
