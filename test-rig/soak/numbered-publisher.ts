import { connectAsync, type MqttClient } from 'mqtt'
import { machineMs } from './machine-ms.ts'

const reconnectEveryMs = 300
const connectTimeoutMs = 5_000
/** A broker that is frozen for a while is not left: two connections of one sender could overtake each other. */
const keepAliveSec = 60

/**
 * The board behind a broker: says numbered readings at a rate, with QoS 0, so that nothing is said twice. What cannot be
 * said at its time is left out, and its number is missing.
 */
export class NumberedPublisher implements AsyncDisposable {
  readonly #client: MqttClient
  readonly #timer: NodeJS.Timeout

  private constructor(client: MqttClient, say: () => void, perSec: number) {
    this.#client = client
    this.#timer = setInterval(say, 1000 / perSec)
  }

  static async start(options: {
    readonly port: number
    readonly topic: string
    readonly perSec: number
  }): Promise<NumberedPublisher> {
    const client = await connectAsync(`mqtt://127.0.0.1:${options.port}`, {
      protocolVersion: 5,
      reconnectPeriod: reconnectEveryMs,
      connectTimeout: connectTimeoutMs,
      keepalive: keepAliveSec,
      queueQoSZero: false,
    })
    client.on('error', () => undefined)
    let seq = -1
    const say = (): void => {
      seq += 1
      if (!client.connected) return
      const payload = JSON.stringify({ run: 1, seq, born: machineMs() })
      client.publish(options.topic, payload, { qos: 0 }, () => undefined)
    }
    return new NumberedPublisher(client, say, options.perSec)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#client.endAsync(true)
  }
}
