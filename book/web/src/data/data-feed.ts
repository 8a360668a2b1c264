import { StreamLink } from '../links/stream-link.ts'
import type { Stream } from '../parameters/stream-parameters.ts'
import { Store } from '../store.ts'
import { type DataState, decideDataState } from './data-state.ts'
import { DeviceClock } from './device-clock.ts'
import { flattenFields } from './flatten-fields.ts'
import { readInstrumentMessage } from './instrument-message.ts'
import { JsonSplitter } from './json-splitter.ts'
import { RoundTripMeter } from './round-trip-meter.ts'
import { SampleHistory } from './sample-history.ts'

/** How long the way is, and how that is known. */
export type Latency =
  | { readonly kind: 'round-trip'; readonly ms: number }
  /** The instrument does not answer pings: only the time to open the link is known. */
  | { readonly kind: 'set-up'; readonly ms: number }

/** 30 s at 200 samples per second. */
const historyRows = 6000
const maxFields = 24
const maxFlags = 16
const keptNotes = 5
const maxNoteCharacters = 200
const pingEveryMs = 2000
const stateEveryMs = 250
const firstPatienceMs = 30_000

/** The data stream of an instrument: samples for the chart, answers to commands, and how long the way is. */
export class DataFeed {
  readonly stream: Stream
  readonly link: StreamLink
  readonly history = new SampleHistory({ capacity: historyRows, maxFields })
  readonly state = new Store<DataState>('connecting')
  readonly latency = new Store<Latency | undefined>(undefined)
  /** Names of the numeric fields seen so far. */
  readonly fields = new Store<readonly string[]>([])
  /** The last answers that are no samples, newest first. */
  readonly notes = new Store<readonly string[]>([])
  /** What the instrument said of itself last. */
  readonly description = new Store<object | undefined>(undefined)
  /** Counts the links that were opened: whoever must tell the instrument something anew watches it. */
  readonly opened = new Store(0)
  readonly #flags = new Map<string, boolean>()
  readonly #meter = new RoundTripMeter(Math.random)
  readonly #splitter: JsonSplitter
  #decoder = new TextDecoder()
  #deviceClock = new DeviceClock()
  #lastSampleMs: number | undefined
  #mayPing = true

  constructor(stream: Stream) {
    this.stream = stream
    this.#splitter = new JsonSplitter((value) => this.#take(value))
    this.link = new StreamLink({
      stream,
      firstPatienceMs,
      onMessage: (data) => this.#receive(data),
      onOpen: () => this.#begin(),
    })
  }

  /** Yes-or-no fields with their newest value, such as `running`. */
  get flags(): ReadonlyMap<string, boolean> {
    return this.#flags
  }

  /** For firmware that must not be pinged. */
  stopPinging(): void {
    this.#mayPing = false
  }

  /** Stays joined until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const pings = setInterval(() => this.#ping(), pingEveryMs)
    const states = setInterval(() => this.#updateState(), stateEveryMs)
    const unsubscribe = this.link.state.subscribe(() => this.#updateState())
    // The page's own event; there is none where this runs without a page.
    globalThis.addEventListener?.('online', () => this.link.dialNow(), { signal })
    await this.link.run(signal)
    clearInterval(pings)
    clearInterval(states)
    unsubscribe()
    this.#updateState()
  }

  #begin(): void {
    this.#splitter.reset()
    this.#decoder = new TextDecoder()
    this.#deviceClock = new DeviceClock()
    this.#meter.reset()
    this.#lastSampleMs = undefined
    this.#publishLatency()
    this.opened.set(this.opened.value + 1)
    this.#ping()
  }

  #receive(data: string | Uint8Array): void {
    // Serial adaptors of older experiments send binary messages; they may cut a letter in two.
    this.#splitter.push(typeof data === 'string' ? data : this.#decoder.decode(data, { stream: true }))
  }

  #take(value: unknown): void {
    const message = readInstrumentMessage(value)
    switch (message.kind) {
      case 'pong':
        if (this.#meter.takePong(message.id, performance.now())) this.#publishLatency()
        break
      case 'description':
        this.description.set(message.body)
        break
      case 'note':
        this.#addNote(message.body)
        break
      case 'sample':
        this.#addSample(message.body, message.deviceMs)
        break
      case 'command':
        break
    }
  }

  #addSample(body: object, deviceMs: number | undefined): void {
    const nowMs = performance.now()
    this.#lastSampleMs = nowMs
    this.history.beginRow(this.#deviceClock.toPageMs(deviceMs, nowMs) / 1000)
    const fieldsBefore = this.history.fieldCount
    flattenFields(body, (name, value) => {
      if (typeof value === 'boolean') this.#setFlag(name, value)
      else if (name !== 't') this.history.set(name, value)
    })
    if (this.history.fieldCount !== fieldsBefore) this.fields.set(this.history.fields)
  }

  #setFlag(name: string, value: boolean): void {
    if (this.#flags.has(name) || this.#flags.size < maxFlags) this.#flags.set(name, value)
  }

  #addNote(body: unknown): void {
    const text = JSON.stringify(body).slice(0, maxNoteCharacters)
    this.notes.set([text, ...this.notes.value].slice(0, keptNotes))
  }

  #ping(): void {
    if (!this.link.isOpen || !this.stream.canWrite || !this.#mayPing) return
    const id = this.#meter.nextPing(performance.now())
    if (id === undefined) return
    if (!this.link.send(JSON.stringify({ cmd: 'ping', id }))) this.#meter.withdraw(id)
    this.#publishLatency()
  }

  #publishLatency(): void {
    const { medianMs } = this.#meter
    const setUpMs = this.link.setUpMs.value
    if (medianMs !== undefined) this.latency.set({ kind: 'round-trip', ms: medianMs })
    else this.latency.set(setUpMs === undefined ? undefined : { kind: 'set-up', ms: setUpMs })
  }

  #updateState(): void {
    const age = this.#lastSampleMs === undefined ? undefined : performance.now() - this.#lastSampleMs
    this.state.set(decideDataState(this.link.state.value, age))
  }
}
