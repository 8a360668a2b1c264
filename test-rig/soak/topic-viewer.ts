import { once } from 'node:events'
import { systemClock } from '@relay/common/clock'
import { keepConnected, type RetryPolicy } from '@relay/common/keep-connected'
import { type RawData, WebSocket } from 'ws'
import type { SoakRelay } from './soak-relay.ts'

/** A page that comes back at once: what is measured is the agent, not the viewer. */
const policy: RetryPolicy = { minMs: 100, maxMs: 400, stableAfterMs: 1_000 }
const openWithinMs = 5_000
/** A relay that is frozen is asked in vain; the socket is given up as a page would do it. */
const silentForMs = 8_000
const lookEveryMs = 1_000

/** A viewer of one topic that joins again whenever it is thrown out, until `run` is told to end. */
export class TopicViewer {
  readonly #relay: SoakRelay
  readonly #topic: string
  readonly #onMessage: (data: Buffer, isBinary: boolean) => void
  #socket: WebSocket | undefined
  #joined = 0

  constructor(relay: SoakRelay, topic: string, onMessage: (data: Buffer, isBinary: boolean) => void) {
    this.#relay = relay
    this.#topic = topic
    this.#onMessage = onMessage
  }

  /** How often it has joined. */
  get joined(): number {
    return this.#joined
  }

  /** Says something to the topic; false where it is not joined at the moment. */
  say(text: string): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(text)
    return true
  }

  async run(signal: AbortSignal): Promise<void> {
    const deps = { clock: systemClock, random: Math.random, onRetry: () => undefined }
    await keepConnected((inner) => this.#viewOnce(inner), policy, deps, signal)
  }

  async #viewOnce(signal: AbortSignal): Promise<void> {
    const address = await this.#relay.viewerAddress(this.#topic, ['read', 'write'], signal)
    const socket = new WebSocket(address, { perMessageDeflate: false, skipUTF8Validation: true })
    let heardAtMs = performance.now()
    const heard = (): void => {
      heardAtMs = performance.now()
    }
    const end = (): void => socket.terminate()
    const watch = setInterval(() => {
      if (performance.now() - heardAtMs > silentForMs) end()
      else if (socket.readyState === WebSocket.OPEN) socket.ping()
    }, lookEveryMs)
    signal.addEventListener('abort', end, { once: true })
    const closed = new Promise((resolve) => socket.once('close', resolve))
    try {
      socket.on('error', () => undefined)
      socket.on('pong', heard)
      socket.on('message', (data: RawData, isBinary) => {
        heard()
        this.#onMessage(data as Buffer, isBinary)
      })
      await once(socket, 'open', { signal: AbortSignal.any([signal, AbortSignal.timeout(openWithinMs)]) })
      this.#socket = socket
      this.#joined += 1
      await closed
    } finally {
      this.#socket = undefined
      clearInterval(watch)
      signal.removeEventListener('abort', end)
      end()
    }
  }
}
