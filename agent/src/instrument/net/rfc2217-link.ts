import type { Socket } from 'node:net'
import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Link, LinkEvents } from '../link.ts'
import type { LineSettings, ResetSettings } from '../tty/line-settings.ts'
import {
  type ComPortRequest,
  controlRequest,
  dtrOff,
  dtrOn,
  isConfirmed,
  lineRequests,
  parseComPort,
  quietRequests,
  rtsOff,
  rtsOn,
} from './com-port.ts'
import { connectTcp, endSocket, type TcpTarget } from './connect-tcp.ts'
import { paceSocket } from './pace-socket.ts'
import { closedByServer, writeSocket } from './tcp-link.ts'
import {
  BINARY,
  COM_PORT_OPTION,
  DO,
  escapeTelnet,
  negotiation,
  subnegotiation,
  SUPPRESS_GO_AHEAD,
  TelnetDecoder,
  TIMING_MARK,
  type Verb,
  WILL,
  WONT,
} from './telnet-codec.ts'
import { TelnetOptions } from './telnet-options.ts'

export interface Rfc2217Options {
  readonly target: TcpTarget
  readonly line: LineSettings
  readonly reset: ResetSettings
  readonly clock: Clock
}

/** For each thing that a server must answer. */
export const answerWithinMs = 3_000
/** There are 256 options: a server that asks for more within a second, or at the beginning, asks without end. */
const maxAnswers = 1_000
/** A server that takes no answers is left. */
const maxUnsentBytes = 65_536
/** After so long without a byte the server is asked for a sign of life, ... */
const quietAfterMs = 10_000
/** ... and given up when it has answered before and does not within this time. */
const aliveWithinMs = 10_000

/**
 * Opens a serial port behind a Telnet server that speaks RFC 2217 (ser2net, terminal servers): the line is set, each
 * setting confirmed, DTR done as wanted. States of lines and modems are not asked for, and left out if they come.
 * @throws {AppError} `INSTRUMENT_UNREACHABLE`, `INSTRUMENT_NOT_RFC2217`, `INSTRUMENT_SETTINGS_REFUSED`,
 *   `INSTRUMENT_DTR_FAILED`, `INSTRUMENT_LOST`.
 */
export async function openRfc2217Link(
  options: Rfc2217Options,
  events: LinkEvents,
  signal: AbortSignal,
): Promise<Link> {
  const socket = await connectTcp(options.target, options.clock, signal)
  const link = new Rfc2217Link(socket, options, events)
  const stop = (): void => void link.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await link.begin(signal)
  } catch (error) {
    await link.close()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
  return link
}

interface Waiting {
  readonly isIt: () => boolean
  readonly done: () => void
  readonly failed: (error: AppError) => void
}

class Rfc2217Link implements Link {
  readonly opened: string
  readonly #socket: Socket
  readonly #options: Rfc2217Options
  readonly #events: LinkEvents
  readonly #decoder: TelnetDecoder
  readonly #telnet = new TelnetOptions({
    ours: [BINARY, SUPPRESS_GO_AHEAD, COM_PORT_OPTION],
    theirs: [BINARY, SUPPRESS_GO_AHEAD],
  })
  /** The last value that the server told, by command. */
  readonly #values = new Map<number, number>()
  #waiting: Waiting | undefined
  #isSettled = false
  #isSuspended = false
  #fault: AppError | undefined
  #heardAtMs: number
  #askedAtMs: number | undefined
  #answersMarks = false
  /** Since the last check. */
  #answers = 0

  constructor(socket: Socket, options: Rfc2217Options, events: LinkEvents) {
    this.opened = options.target.address
    this.#socket = socket
    this.#options = options
    this.#events = events
    this.#heardAtMs = options.clock.monotonicMs()
    this.#decoder = new TelnetDecoder({
      onData: (data) => {
        if (this.#isSettled && this.#fault === undefined) events.onData(data)
      },
      onNegotiation: (verb, option) => this.#onNegotiation(verb, option),
      onSubnegotiation: (option, payload) => {
        if (option === COM_PORT_OPTION) this.#onComPort(payload)
      },
    })
    socket.on('data', (chunk: Buffer) => this.#onBytes(chunk))
    paceSocket(socket, options.clock)
    socket.once('close', () => this.#fail(closedByServer(this.opened)))
  }

  /** Agrees with the server on everything, and resets the board where that is wanted. */
  async begin(signal: AbortSignal): Promise<void> {
    for (const [verb, option] of this.#telnet.ask()) this.#send(negotiation(verb, option))
    await this.#until(() => this.#telnet.offered(COM_PORT_OPTION) !== 'not yet', notRfc2217(this.opened))
    if (this.#telnet.offered(COM_PORT_OPTION) === 'no') throw notRfc2217(this.opened)
    for (const request of lineRequests(this.#options.line)) await this.#set(request)
    for (const payload of quietRequests()) this.#send(subnegotiation(COM_PORT_OPTION, payload))
    await this.#reset(signal)
    this.#isSettled = true
  }

  async write(data: Buffer): Promise<void> {
    if (this.#isSuspended) await this.#untilResumed()
    await writeSocket(this.#socket, escapeTelnet(data), this.opened)
  }

  /** A Telnet server answers `DO TIMING-MARK` whatever else it knows (RFC 860); one that never did is not judged by it. */
  check(): Promise<AppError | undefined> {
    const nowMs = this.#options.clock.monotonicMs()
    this.#answers = 0
    if (this.#askedAtMs === undefined) {
      if (nowMs - this.#heardAtMs < quietAfterMs) return Promise.resolve(undefined)
      this.#askedAtMs = nowMs
      this.#send(negotiation(DO, TIMING_MARK))
      return Promise.resolve(undefined)
    }
    const isMissing = this.#answersMarks && nowMs - this.#askedAtMs >= aliveWithinMs
    return Promise.resolve(
      isMissing
        ? new AppError('INSTRUMENT_LOST', `${this.opened} gives no sign of life any more`)
        : undefined,
    )
  }

  close(): Promise<void> {
    this.#fault ??= new AppError('INSTRUMENT_LOST', 'the link was closed')
    this.#waiting?.failed(this.#fault)
    if (this.#socket.writableLength > 0) this.#socket.destroy()
    return endSocket(this.#socket, this.#options.clock)
  }

  #onBytes(chunk: Buffer): void {
    if (this.#fault !== undefined) return
    this.#heardAtMs = this.#options.clock.monotonicMs()
    this.#decoder.push(chunk)
    if (this.#waiting?.isIt() === true) this.#waiting.done()
  }

  #onNegotiation(verb: Verb, option: number): void {
    if (option === TIMING_MARK && (verb === WILL || verb === WONT)) {
      this.#answersMarks = true
      this.#askedAtMs = undefined
      return
    }
    const answer = this.#telnet.answer(verb, option)
    if (answer === undefined) return
    this.#answers += 1
    if (this.#answers <= maxAnswers) this.#send(negotiation(answer, option))
    else this.#fail(new AppError('INSTRUMENT_LOST', `${this.opened} asks without end, and was left`))
  }

  #onComPort(payload: Buffer): void {
    const answer = parseComPort(payload)
    switch (answer.kind) {
      case 'value':
        this.#values.set(answer.command, answer.value)
        return
      case 'suspend':
        this.#isSuspended = true
        return
      case 'resume':
        this.#isSuspended = false
        return
      case 'other':
    }
  }

  async #reset(signal: AbortSignal): Promise<void> {
    const { clock, reset } = this.#options
    if (reset.dtr === 'pulse') {
      await this.#setLines(false)
      await clock.sleep(reset.lowMs, signal)
    }
    if (reset.dtr === 'pulse' || reset.dtr === 'assert') await this.#setLines(true)
    if (reset.dtr === 'pulse') await clock.sleep(reset.settleMs, signal)
  }

  async #setLines(isOn: boolean): Promise<void> {
    try {
      await this.#set(controlRequest(isOn ? dtrOn : dtrOff, 'DTR'))
      // With flow control RTS is the server's.
      if (!this.#options.line.rtscts) await this.#set(controlRequest(isOn ? rtsOn : rtsOff, 'RTS'))
    } catch (cause) {
      throw new AppError(
        'INSTRUMENT_DTR_FAILED',
        `${this.opened} cannot set the DTR line; a port without one needs "dtr: leave"`,
        { cause },
      )
    }
  }

  async #set(request: ComPortRequest): Promise<void> {
    const { command, payload, what, expected } = request
    this.#values.delete(command)
    this.#send(subnegotiation(COM_PORT_OPTION, payload))
    await this.#until(
      () => this.#values.has(command),
      new AppError('INSTRUMENT_SETTINGS_REFUSED', `${this.opened} does not confirm ${what}`),
    )
    const value = this.#values.get(command) ?? 0
    if (!isConfirmed(request, value)) {
      throw new AppError(
        'INSTRUMENT_SETTINGS_REFUSED',
        `${this.opened} set ${what} to ${value} where ${expected} was asked for`,
      )
    }
  }

  /** Until the server has said what makes `isIt` true; one such wait at a time. */
  async #until(isIt: () => boolean, late: AppError): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault
    if (isIt()) return
    const cancel: { now: () => void } = { now: () => undefined }
    try {
      await new Promise<void>((done, failed) => {
        this.#waiting = { isIt, done, failed }
        cancel.now = this.#options.clock.after(answerWithinMs, () => failed(late))
      })
    } finally {
      cancel.now()
      this.#waiting = undefined
    }
  }

  /** Whoever writes has a deadline of its own. */
  #untilResumed(): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting = { isIt: () => !this.#isSuspended, done, failed }
    })
  }

  #send(bytes: Buffer): void {
    if (this.#fault !== undefined) return
    if (this.#socket.writableLength > maxUnsentBytes) {
      this.#fail(
        new AppError('INSTRUMENT_LOST', `${this.opened} takes nothing of what it asks for, and was left`),
      )
      return
    }
    this.#socket.write(bytes)
  }

  #fail(error: AppError): void {
    if (this.#fault !== undefined) return
    this.#fault = error
    this.#waiting?.failed(error)
    this.#socket.destroy()
    this.#events.onClosed(error)
  }
}

function notRfc2217(address: string): AppError {
  return new AppError(
    'INSTRUMENT_NOT_RFC2217',
    `${address} does not speak RFC 2217; where it gives out the plain bytes of the line, write tcp:// instead`,
  )
}
