/** What happens to the DTR line, which resets many boards (Arduino) when it falls and rises. */
export type DtrPolicy = 'leave' | 'assert' | 'pulse' | 'touch1200'

export type Parity = 'none' | 'even' | 'odd'
export type DataBits = 5 | 6 | 7 | 8
export type StopBits = 1 | 2

/** How both ends of a serial line must be set. */
export interface LineSettings {
  readonly baudRate: number
  readonly dataBits: DataBits
  readonly parity: Parity
  readonly stopBits: StopBits
  /** Flow control by the lines RTS and CTS. */
  readonly rtscts: boolean
}

export interface ResetSettings {
  readonly dtr: DtrPolicy
  /** How long `pulse` holds DTR low. */
  readonly lowMs: number
  /** After `pulse` the board boots for so long; what it says meanwhile is left out. */
  readonly settleMs: number
}

/**
 * How long `bytes` may take to leave: `graceMs`, and twice the time that the line itself needs for them. At 9600 baud
 * the longest command takes 17 s. Pure.
 */
export function writeDeadlineMs(bytes: number, line: LineSettings, graceMs: number): number {
  const bitsPerByte = 1 + line.dataBits + (line.parity === 'none' ? 0 : 1) + line.stopBits
  return graceMs + Math.ceil((2 * bytes * bitsPerByte * 1000) / line.baudRate)
}
