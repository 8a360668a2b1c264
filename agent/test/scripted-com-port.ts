import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import {
  COM_PORT_OPTION,
  DO,
  escapeTelnet,
  IAC,
  negotiation,
  subnegotiation,
  TelnetDecoder,
  TIMING_MARK,
  WILL,
  WONT,
} from '../src/instrument/net/telnet-codec.ts'

export interface ComPortScript {
  /** What to answer to a request; the payload of the answer without its command. Standard: what was asked for. */
  readonly answer?: (command: number, payload: Buffer) => Buffer | undefined
  /** Whether it agrees to `WILL COM-PORT-OPTION`. */
  readonly knowsComPort?: boolean
  readonly answersMarks?: () => boolean
}

/** A server for RFC 2217 that does what a test says; a real one stands in `serial-over-tcp.test.ts`. */
export class ScriptedComPort {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Requests as `command:bytes`. */
  readonly requests: string[] = []
  /** What the instrument has got. */
  received = Buffer.alloc(0)

  private constructor(script: ComPortScript) {
    this.#server = createServer((socket) => this.#serve(socket, script))
  }

  static async open(script: ComPortScript = {}): Promise<ScriptedComPort> {
    const port = new ScriptedComPort(script)
    port.#server.listen(0, '127.0.0.1')
    await once(port.#server, 'listening')
    return port
  }

  get device(): string {
    return `rfc2217://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** To everybody, as it is. */
  sendBytes(bytes: Buffer): void {
    for (const socket of this.#sockets) socket.write(bytes)
  }

  say(text: string | Buffer): void {
    this.sendBytes(escapeTelnet(Buffer.from(text)))
  }

  tell(...payload: number[]): void {
    this.sendBytes(subnegotiation(COM_PORT_OPTION, Buffer.from(payload)))
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(
    socket: Socket,
    { answer = echo, knowsComPort = true, answersMarks = () => true }: ComPortScript,
  ): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
    const decoder = new TelnetDecoder({
      onData: (data) => {
        this.received = Buffer.concat([this.received, data])
      },
      onNegotiation: (verb, option) => {
        if (verb === WILL)
          socket.write(negotiation(option === COM_PORT_OPTION && !knowsComPort ? 254 : DO, option))
        else if (verb === DO && option === TIMING_MARK) {
          if (answersMarks()) socket.write(negotiation(WONT, TIMING_MARK))
        } else if (verb === DO) socket.write(negotiation(WILL, option))
      },
      onSubnegotiation: (_option, payload) => {
        const command = payload[0] ?? 0
        this.requests.push(`${command}:${payload.subarray(1).toString('hex')}`)
        const said = answer(command, payload.subarray(1))
        if (said !== undefined) this.tell(command + 100, ...said)
      },
    })
    socket.on('data', (chunk: Buffer) => decoder.push(chunk))
  }
}

function echo(_command: number, payload: Buffer): Buffer {
  return payload
}

/** What no server says: negotiations of everything, again and again. */
export function negotiationFlood(): Buffer {
  return Buffer.from(
    Array.from({ length: 100_000 }, (_zero, index) => [
      IAC,
      index % 2 === 0 ? DO : WILL,
      50 + (index % 150),
    ]).flat(),
  )
}
