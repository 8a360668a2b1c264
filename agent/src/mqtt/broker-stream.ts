import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Cancel, Clock } from '@relay/common/clock'
import { restOf } from '../rest-of.ts'
import { type LeftOut, PacketGate } from './packet-gate.ts'

export interface BrokerStreamOptions {
  readonly maxPacketBytes: number
  /** A message was left out. */
  readonly onLeftOut: (reason: LeftOut['reason']) => void
}

/** The first bytes of PUBACK and PUBREC (MQTT 5, 3.4 and 3.5). */
const acknowledgements: Readonly<Record<number, number>> = { 1: 0x40, 2: 0x50 }
/** A flood is read at this pace, 5,000 packets or 6 MB a second; the rest waits at the broker, which drops by its own rules. */
const sliceMs = 10
const packetsPerSlice = 50
const bytesPerSlice = 65_536

/**
 * The connection to a broker as the MQTT library gets it: its socket, behind the gate that leaves out what is too long,
 * and read no faster than a small board can bear.
 */
export class BrokerStream extends Duplex {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #gate: PacketGate
  #pending: Buffer = Buffer.alloc(0)
  #isWanted = false
  #hasEnded = false
  #hasToldEnd = false
  #isTaking = false
  #packetsLeft = packetsPerSlice
  #bytesLeft = bytesPerSlice
  #sliceSinceMs = 0
  #cancelWait: Cancel | undefined

  constructor(socket: Socket, { maxPacketBytes, onLeftOut }: BrokerStreamOptions, clock: Clock) {
    super({ emitClose: true })
    this.#socket = socket
    this.#clock = clock
    this.#gate = new PacketGate(
      { maxPacketBytes },
      {
        onBytes: (bytes) => {
          this.#isWanted = this.push(bytes)
        },
        onLeftOut: ({ reason, qos, packetId }) => {
          onLeftOut(reason)
          // What was left out is over for the broker too; else it would send it again and again.
          const first = acknowledgements[qos]
          if (packetId !== undefined && first !== undefined)
            socket.write(Buffer.of(first, 2, packetId >> 8, packetId & 0xff))
        },
      },
    )
    socket.on('data', (chunk: Buffer) => {
      socket.pause()
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
      this.#flow()
    })
    socket.on('end', () => {
      this.#hasEnded = true
      this.#flow()
    })
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => {
      this.#hasEnded = true
      this.#flow()
    })
    this.on('end', () => this.destroy())
    socket.pause()
  }

  /** Bytes that wait to be taken by the network. */
  get bufferedBytes(): number {
    return this.writableLength + this.#socket.writableLength
  }

  override _read(): void {
    this.#isWanted = true
    this.#flow()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, (error) => callback(error))
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    callback: (error?: Error | null) => void,
  ): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk))), 'utf8', callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end(() => callback())
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#cancelWait?.()
    this.#socket.destroy()
    this.#pending = Buffer.alloc(0)
    callback(error)
  }

  #flow(): void {
    // Giving bytes on may ask for more at once.
    if (this.#isTaking) return
    while (this.#pending.length > 0) {
      if (!this.#isWanted || this.destroyed || this.#cancelWait !== undefined) return
      const nowMs = this.#clock.monotonicMs()
      if (nowMs - this.#sliceSinceMs >= sliceMs) {
        this.#sliceSinceMs = nowMs
        this.#packetsLeft = packetsPerSlice
        this.#bytesLeft = bytesPerSlice
      }
      if (this.#packetsLeft <= 0 || this.#bytesLeft <= 0) {
        this.#cancelWait = this.#clock.after(sliceMs, () => {
          this.#cancelWait = undefined
          this.#flow()
        })
        return
      }
      if (!this.#take()) return
    }
    if (this.destroyed || this.#hasToldEnd) return
    if (this.#hasEnded) {
      this.#hasToldEnd = true
      this.push(null)
    } else if (this.#isWanted) {
      this.#socket.resume()
    }
  }

  /** False when it was no MQTT. */
  #take(): boolean {
    this.#isTaking = true
    try {
      const { usedBytes, packets } = this.#gate.push(this.#pending, this.#packetsLeft)
      this.#packetsLeft -= packets
      this.#bytesLeft -= usedBytes
      this.#pending = restOf(this.#pending, usedBytes)
      return true
    } catch (error) {
      this.destroy(error as Error)
      return false
    } finally {
      this.#isTaking = false
    }
  }
}
