import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { Clock } from '../clock.ts'
import { bypassBinary } from './binary-bypass.ts'
import { Heartbeat, plainHeartbeat, tunnelHeartbeat } from './heartbeat.ts'
import type { LinkReceiver, TunnelLink } from './tunnel-link.ts'
import { MAX_ACCEPTED_MESSAGE_BYTES, MAX_CONTROL_BYTES } from './tunnel-protocol.ts'

export interface WebsocketLinkDeps {
  readonly clock: Pick<Clock, 'after'>
  readonly receiver: LinkReceiver
  readonly isTunnel: boolean
  /**
   * The connection below that of a client, on which nothing has been read yet. Where it is given, the bytes of a tunnel
   * take the short way.
   */
  readonly tcp?: Duplex | undefined
}

/** Above this a link says that it is full, and below the other that it takes more again. */
const fullBytes = 1_048_576
const drainedBytes = 262_144

const binary = { binary: true, compress: false } as const
const text = { binary: false, compress: false } as const

/** A `TunnelLink` over an open websocket, which it owns and whose heartbeat it keeps. */
export class WebsocketLink implements TunnelLink {
  receiver: LinkReceiver
  readonly isTunnel: boolean
  /** Resolves when the socket is closed: all that was sent has left, or is lost. */
  readonly whenGone: Promise<void>
  readonly #socket: WebSocket
  readonly #heartbeat: Heartbeat
  /** `linkDrained` is owed once no more than this is left. */
  #drainAtBytes: number | undefined
  #reason: string | undefined
  #isPaused = false
  /** One function for all messages: none is made per message. */
  readonly #onWritten = (): void => {
    if (this.#drainAtBytes === undefined || this.#socket.bufferedAmount > this.#drainAtBytes) return
    this.#drainAtBytes = undefined
    // Not after the end: the callbacks of what was lost come too.
    if (this.#socket.readyState === WebSocket.OPEN) this.receiver.linkDrained()
  }

  constructor(socket: WebSocket, { clock, receiver, isTunnel, tcp }: WebsocketLinkDeps) {
    this.#socket = socket
    this.receiver = receiver
    this.isTunnel = isTunnel
    this.#heartbeat = new Heartbeat(isTunnel ? tunnelHeartbeat : plainHeartbeat, {
      clock,
      onBeat: () => {
        // What is not read says nothing, however much it lives: it must not be cut for that.
        if (this.#isPaused) this.#heartbeat.heard()
        if (isTunnel && socket.readyState === WebSocket.OPEN) socket.ping()
      },
      onDead: () => this.#breakOff('the relay was silent for too long'),
    })
    if (isTunnel && tcp !== undefined) {
      // The relay is the server: it masks nothing.
      const onBytes = (data: Buffer): void => {
        this.#heartbeat.heard()
        this.receiver.linkBytes(data)
      }
      bypassBinary(socket, { tcp, isPeerClient: false, maxFrameBytes: MAX_ACCEPTED_MESSAGE_BYTES, onBytes })
    }
    socket.on('message', (data: Buffer, isBinary) => this.#take(data, isBinary))
    socket.on('ping', () => this.#heartbeat.heard())
    socket.on('pong', () => this.#heartbeat.heard())
    socket.on('error', (error) => {
      this.#reason ??= error.message
    })
    let gone = (): void => undefined
    this.whenGone = new Promise((resolve) => {
      gone = resolve
    })
    socket.on('close', (code, reason) => {
      this.#heartbeat.stop()
      gone()
      this.receiver.linkClosed({ code, reason: this.#reason ?? reason.toString() })
    })
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  get isFull(): boolean {
    if (this.#socket.bufferedAmount <= fullBytes) return false
    this.#drainAtBytes ??= drainedBytes
    return true
  }

  get isIdle(): boolean {
    if (this.#socket.bufferedAmount === 0) return true
    this.#drainAtBytes ??= 0
    return false
  }

  sendBytes(data: Buffer): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data, binary, this.#onWritten)
  }

  sendText(message: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message, text, this.#onWritten)
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#socket.resume()
  }

  close(code: number, reason = ''): void {
    // A paused socket would never see the answer.
    this.resume()
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#heartbeat.heard()
    // An old host may send text: without our protocol there is no control, and every message is bytes.
    if (isBinary || !this.isTunnel) this.receiver.linkBytes(data)
    else if (data.length <= MAX_CONTROL_BYTES) this.receiver.linkText(data.toString())
    else this.#breakOff('a control message was too long')
  }

  #breakOff(reason: string): void {
    this.#reason ??= reason
    this.#socket.terminate()
  }
}
