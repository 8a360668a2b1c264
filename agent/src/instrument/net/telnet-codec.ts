/** Commands and options of Telnet (RFC 854, 855, 856, 858, 860) and of RFC 2217. */
export const IAC = 255
export const DONT = 254
export const DO = 253
export const WONT = 252
export const WILL = 251
const SB = 250
const SE = 240
export const BINARY = 0
export const SUPPRESS_GO_AHEAD = 3
export const TIMING_MARK = 6
export const COM_PORT_OPTION = 44

export type Verb = typeof DO | typeof DONT | typeof WILL | typeof WONT

export interface TelnetEvents {
  /** A part of what was pushed: valid for as long as that. */
  readonly onData: (data: Buffer) => void
  readonly onNegotiation: (verb: Verb, option: number) => void
  /** The payload is the listener's own. */
  readonly onSubnegotiation: (option: number, payload: Buffer) => void
}

/** Nothing that we understand is longer; a server's signature may be. */
const maxSubnegotiationBytes = 512

type State = 'data' | 'command' | 'option' | 'subnegotiation' | 'subnegotiation command'

/**
 * Takes the bytes of a Telnet server apart, however they are chunked. Takes every input: what makes no sense is left
 * out and counted, and memory is bounded.
 */
export class TelnetDecoder {
  readonly #events: TelnetEvents
  #state: State = 'data'
  #verb: Verb = DO
  /** Option and payload. */
  #subnegotiation: number[] = []
  #skippedBytes = 0

  constructor(events: TelnetEvents) {
    this.#events = events
  }

  /** Bytes of subnegotiations that were too long or cut off. */
  get skippedBytes(): number {
    return this.#skippedBytes
  }

  push(chunk: Buffer): void {
    let place = 0
    while (place < chunk.length) {
      if (this.#state === 'data') {
        const command = chunk.indexOf(IAC, place)
        const end = command < 0 ? chunk.length : command
        if (end > place) this.#events.onData(chunk.subarray(place, end))
        if (command >= 0) this.#state = 'command'
        place = end + 1
      } else {
        const isEscaped = this.#step(chunk[place] ?? 0)
        if (isEscaped) this.#events.onData(chunk.subarray(place, place + 1))
        place += 1
      }
    }
  }

  /** One byte that is no plain data; true when it turned out to be data: 255, written twice. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case 'command':
        return this.#command(byte)
      case 'option':
        this.#state = 'data'
        this.#events.onNegotiation(this.#verb, byte)
        return false
      case 'subnegotiation':
        if (byte === IAC) this.#state = 'subnegotiation command'
        else this.#collect(byte)
        return false
      case 'subnegotiation command':
        return this.#subnegotiationCommand(byte)
      case 'data':
        return true
    }
    return false
  }

  #command(byte: number): boolean {
    this.#state = 'data'
    switch (byte) {
      case IAC:
        return true
      case DO:
      case DONT:
      case WILL:
      case WONT:
        this.#verb = byte
        this.#state = 'option'
        return false
      case SB:
        this.#subnegotiation = []
        this.#state = 'subnegotiation'
        return false
      default:
        // NOP, GA, BREAK and their like mean nothing here.
        return false
    }
  }

  #subnegotiationCommand(byte: number): boolean {
    if (byte === IAC) {
      this.#collect(IAC)
      this.#state = 'subnegotiation'
      return false
    }
    const [option, ...payload] = this.#subnegotiation
    this.#subnegotiation = []
    if (byte === SE) {
      this.#state = 'data'
      if (option !== undefined && payload.length < maxSubnegotiationBytes)
        this.#events.onSubnegotiation(option, Buffer.from(payload))
      return false
    }
    // It was cut off, and something else begins.
    this.#skippedBytes += payload.length
    return this.#command(byte)
  }

  #collect(byte: number): void {
    if (this.#subnegotiation.length > maxSubnegotiationBytes) this.#skippedBytes += 1
    else this.#subnegotiation.push(byte)
  }
}

/** Data as it stands in a Telnet connection in binary mode: 255 is written twice. */
export function escapeTelnet(data: Buffer): Buffer {
  let count = 0
  for (const byte of data) if (byte === IAC) count += 1
  if (count === 0) return data
  const escaped = Buffer.allocUnsafe(data.length + count)
  let place = 0
  for (const byte of data) {
    escaped[place++] = byte
    if (byte === IAC) escaped[place++] = IAC
  }
  return escaped
}

export function negotiation(verb: Verb, option: number): Buffer {
  return Buffer.of(IAC, verb, option)
}

export function subnegotiation(option: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(IAC, SB, option), escapeTelnet(payload), Buffer.of(IAC, SE)])
}
