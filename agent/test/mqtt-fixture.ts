import { type Clock, systemClock } from '@relay/common/clock'
import { loadConfig } from '@relay/common/config/load-config'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { agentConfigSpec } from '../src/config.ts'
import { FeedHub, type Message } from '../src/feeds/feed-hub.ts'
import { MqttInstrument } from '../src/mqtt/mqtt-instrument.ts'
import { mqttOptions } from '../src/mqtt/mqtt-options.ts'
import { capturedLog } from './captured-log.ts'
import { eventually } from './eventually.ts'

/** Somebody on the feed: what it heard, and a voice. */
export class Browser {
  readonly name = 'browser'
  readonly heard: string[] = []
  readonly kinds: string[] = []
  readonly #hub: FeedHub

  constructor(hub: FeedHub) {
    this.#hub = hub
    hub.join('data', this)
  }

  deliver({ data, binary }: Message): void {
    this.heard.push(data.toString())
    this.kinds.push(binary ? 'binary' : 'text')
  }

  say(text: string | Buffer): void {
    this.#hub.publish('data', { data: Buffer.from(text), binary: typeof text !== 'string' }, this)
  }
}

export interface RunningInstrument extends AsyncDisposable {
  readonly instrument: MqttInstrument
  readonly browser: Browser
  readonly hub: FeedHub
  readonly lines: readonly string[]
  stop(): Promise<void>
}

/** Runs an instrument with the given settings (YAML, one per line) against a broker. */
export function runInstrument(
  broker: string,
  settings: readonly string[],
  clock: Clock = systemClock,
): RunningInstrument {
  const text = [
    'mqttInstruments:',
    `  - name: rig`,
    `    broker: ${broker}`,
    ...settings.map((line) => `    ${line}`),
  ]
  const { mqttInstruments } = loadConfig(agentConfigSpec, {
    file: { path: 'agent.yaml', text: text.join('\n') },
  })
  const [config] = mqttInstruments
  if (config === undefined) throw new Error('no instrument')
  const hub = new FeedHub()
  const browser = new Browser(hub)
  const { log, lines } = capturedLog()
  const instrument = new MqttInstrument(mqttOptions(config), { hub, clock, random: Math.random, log })
  const controller = new AbortController()
  const running = instrument.run(controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort()
    await running
  }
  return { instrument, browser, hub, lines, stop, [Symbol.asyncDispose]: stop }
}

/** Waits until the instrument is connected and has its subscriptions. */
export async function live({ instrument }: RunningInstrument): Promise<void> {
  await eventually(() => instrument.status().state === 'live', { show: () => instrument.status() })
}

/** Another client of the broker, such as the board itself. */
export class Board implements AsyncDisposable {
  readonly client: MqttClient
  readonly heard: { readonly topic: string; readonly text: string; readonly retained: boolean }[] = []

  private constructor(client: MqttClient) {
    this.client = client
    client.on('message', (topic, payload, { retain }) => {
      this.heard.push({ topic, text: payload.toString(), retained: retain })
    })
    client.on('error', () => undefined)
  }

  static async join(
    port: number,
    filters: readonly string[] = [],
    options: IClientOptions = {},
  ): Promise<Board> {
    const { protocol = 'mqtt' } = options
    const board = new Board(
      await connectAsync(`${protocol}://127.0.0.1:${port}`, {
        protocolVersion: 5,
        reconnectPeriod: 200,
        ...options,
      }),
    )
    for (const filter of filters) await board.client.subscribeAsync(filter, { qos: 1 })
    return board
  }

  async say(topic: string, payload: string | Buffer, retain = false): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos: 1, retain })
  }

  texts(topic: string): readonly string[] {
    return this.heard.filter((message) => message.topic === topic).map(({ text }) => text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.endAsync(true)
  }
}
