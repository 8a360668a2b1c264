import { systemClock } from '@relay/common/clock'
import { CommandLedger } from './command-ledger.ts'
import type { StreamName } from './fault-kinds.ts'
import { machineMs } from './machine-ms.ts'
import { readMessage } from './numbered-message.ts'
import { OrderLedger, type Span } from './order-ledger.ts'
import { topics } from './soak-agent.ts'
import type { SoakRelay } from './soak-relay.ts'
import { SteadyPictures } from './steady-pictures.ts'
import { StreamWatch } from './stream-watch.ts'
import { TopicViewer } from './topic-viewer.ts'
import { TsContinuity } from './ts-continuity.ts'

/** A silence that somebody who watches would notice. */
const longestUsualMs = 1_000
const commandEveryMs = 1_000
/** An answer to a command may not take longer, and a command not longer for its way. */
const longestCommandMs = commandEveryMs + longestUsualMs
const shortestVisitMs = 200
const longestVisitMs = 8_000
const maxPictureBreaks = 10_000

/** A viewer of each topic, one of which sends commands, and strangers who come and go; and what they saw. */
export class SoakViewers {
  readonly watches: Readonly<Record<StreamName, StreamWatch>> = {
    video: new StreamWatch({ longestUsualMs }),
    data: new StreamWatch({ longestUsualMs }),
    commands: new StreamWatch({ longestUsualMs: longestCommandMs }),
    mqtt: new StreamWatch({ longestUsualMs }),
  }
  readonly orders = { data: new OrderLedger(), mqtt: new OrderLedger() }
  readonly commands = new CommandLedger()
  readonly pictureBreaks: Span[] = []
  readonly #relay: SoakRelay
  readonly #random: () => number
  readonly #continuity = new TsContinuity()
  readonly #steady = new SteadyPictures()
  #videoBytes = 0
  #visits = 0
  #others = 0
  #unaligned = 0

  constructor(relay: SoakRelay, random: () => number) {
    this.#relay = relay
    this.#random = random
  }

  get figures() {
    return {
      videoBytes: this.#videoBytes,
      /** Messages with video that did not hold whole packets. */
      unalignedMessages: this.#unaligned,
      /** Texts that were no reading and no answer: garbage of the cable. */
      otherTexts: this.#others,
      visits: this.#visits,
    }
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const video = new TopicViewer(this.#relay, topics.video, (data) => this.#onVideo(data))
    const data = new TopicViewer(this.#relay, topics.data, (message) => this.#onText('data', message))
    const mqtt = new TopicViewer(this.#relay, topics.mqtt, (message) => this.#onText('mqtt', message))
    await Promise.all([
      video.run(signal),
      data.run(signal),
      mqtt.run(signal),
      this.#command(data, signal),
      this.#comeAndGo(topics.video, signal),
      this.#comeAndGo(topics.data, signal),
    ])
  }

  #onVideo(data: Buffer): void {
    const nowMs = machineMs()
    this.#videoBytes += data.length
    const before = this.#continuity.breaks
    if (!this.#continuity.take(data)) this.#unaligned += 1
    if (this.#continuity.breaks > before && this.pictureBreaks.length < maxPictureBreaks)
      this.pictureBreaks.push({ fromMs: nowMs, toMs: nowMs })
    this.watches.video.take(this.#steady.take(nowMs) ? nowMs : undefined)
  }

  #onText(stream: 'data' | 'mqtt', data: Buffer): void {
    const message = readMessage(data.toString())
    switch (message.kind) {
      case 'reading':
        this.orders[stream].take(message.reading)
        this.watches[stream].take(message.reading.bornAtMs)
        return
      case 'answer': {
        const sentAtMs = this.commands.answer(message.id)
        if (sentAtMs !== undefined) this.watches.commands.take(sentAtMs)
        return
      }
      case 'other':
        this.#others += 1
    }
  }

  /** Numbered commands, each of which the instrument answers. */
  async #command(viewer: TopicViewer, signal: AbortSignal): Promise<void> {
    for (let id = 1; !signal.aborted; id += 1) {
      // Before it has spoken nobody is there to answer.
      if (this.watches.data.messages > 0 && viewer.say(JSON.stringify({ cmd: 'ping', id })))
        this.commands.send(id, machineMs())
      await systemClock.sleep(commandEveryMs, signal)
    }
  }

  /** Strangers: they join, stay for a while and go without a word. */
  async #comeAndGo(topic: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const stayMs = shortestVisitMs + this.#random() * (longestVisitMs - shortestVisitMs)
      const leave = new AbortController()
      const visit = AbortSignal.any([signal, leave.signal])
      const stranger = new TopicViewer(this.#relay, topic, () => undefined)
      const seeing = stranger.run(visit)
      await systemClock.sleep(stayMs, signal)
      leave.abort()
      await seeing
      this.#visits += 1
    }
  }
}
