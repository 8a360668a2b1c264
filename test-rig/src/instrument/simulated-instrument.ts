import type { Clock } from '@relay/common/clock'
import { type Command, parseCommand } from './command.ts'
import { gaussian } from './gaussian.ts'
import { LineReader } from './line-reader.ts'
import type { Plant } from './plant.ts'

export interface InstrumentDeps {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
}

export interface InstrumentOptions {
  readonly rateHz: number
  /** Multiplies the noise of every sensor; 0 is a perfect sensor. */
  readonly noise: number
  /** How long a measured value takes to come out, at most a second. */
  readonly sensorDelayMs: number
}

/** Takes one line without its end. Answers false when it had to be dropped because the reader is behind. */
export type LineSink = (line: string) => boolean

export const maxLineBytes = 512
/** After a longer pause (a suspended machine) the physics goes on from where it was. */
const longestCatchUpMs = 1000

/**
 * A plant which speaks the line protocol of the fleet's firmware: data lines at a rate, one answer or error per
 * command. Invariants: physics moves with the clock, whether anybody is connected or not; nothing that is received can
 * stop it; what nobody reads is dropped and counted, never queued here.
 */
export class SimulatedInstrument {
  readonly #plant: Plant
  readonly #options: InstrumentOptions
  readonly #deps: InstrumentDeps
  readonly #reader = new LineReader({ maxLineBytes })
  #sink: LineSink | undefined
  #rateHz: number
  #startedAtMs = 0
  #advancedToMs = 0
  #dropped = 0
  #wake: (() => void) | undefined

  constructor(plant: Plant, options: InstrumentOptions, deps: InstrumentDeps) {
    this.#plant = plant
    this.#options = options
    this.#deps = deps
    this.#rateHz = options.rateHz
  }

  /** Lines which nobody took, since the start. */
  get dropped(): number {
    return this.#dropped
  }

  /** Somebody listens from now on; an unfinished command of an earlier connection is forgotten. */
  connect(sink: LineSink): void {
    this.#reader.reset()
    this.#sink = sink
  }

  /** Nobody listens any more: lines are dropped until the next `connect`. */
  disconnect(): void {
    this.#sink = undefined
  }

  /** Bytes from the other end, in any portions. */
  receive(bytes: Uint8Array): void {
    for (const line of this.#reader.push(bytes)) {
      if (line.kind === 'too-long') {
        this.#answer({ error: `a line longer than ${maxLineBytes} bytes was ignored` })
      } else if (line.text.trim() !== '') {
        this.#obey(line.text)
      }
    }
  }

  /** Lives until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#startedAtMs = this.#deps.clock.monotonicMs()
    this.#advancedToMs = this.#startedAtMs
    let dueAtMs = this.#startedAtMs
    while (!signal.aborted) {
      const nowMs = this.#deps.clock.monotonicMs()
      const periodMs = 1000 / this.#rateHz
      // A late timer is caught up once, not by a burst.
      dueAtMs = Math.max(dueAtMs + periodMs, nowMs)
      const wasWoken = await this.#sleepUntil(dueAtMs, signal)
      if (wasWoken) dueAtMs = this.#deps.clock.monotonicMs()
      else if (!signal.aborted) this.#measure(signal)
    }
  }

  /** True when a command cut the wait short. */
  #sleepUntil(dueAtMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (wasWoken: boolean): void => {
        cancel()
        signal.removeEventListener('abort', stop)
        this.#wake = undefined
        resolve(wasWoken)
      }
      const stop = (): void => end(false)
      const cancel = this.#deps.clock.after(dueAtMs - this.#deps.clock.monotonicMs(), stop)
      this.#wake = () => end(true)
      signal.addEventListener('abort', stop, { once: true })
    })
  }

  #advance(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    this.#plant.advance(Math.min(nowMs - this.#advancedToMs, longestCatchUpMs))
    this.#advancedToMs = nowMs
  }

  #measure(signal: AbortSignal): void {
    this.#advance()
    const line = JSON.stringify(this.#reading())
    if (this.#options.sensorDelayMs === 0) {
      this.#send(line)
      return
    }
    void this.#deps.clock.sleep(this.#options.sensorDelayMs, signal).then(() => {
      if (!signal.aborted) this.#send(line)
    })
  }

  #reading(): Readonly<Record<string, number | boolean>> {
    const reading: Record<string, number | boolean> = {
      t: Math.round(this.#deps.clock.monotonicMs() - this.#startedAtMs),
    }
    const values = this.#plant.read()
    for (const [i, field] of this.#plant.fields.entries()) {
      const noise = this.#options.noise * field.noise * gaussian(this.#deps.random)
      reading[field.name] = roundTo4((values[i] ?? 0) + noise)
    }
    reading['target'] = this.#plant.setting('target')
    reading['running'] = this.#plant.isRunning
    return reading
  }

  #obey(line: string): void {
    const parsed = parseCommand(line, this.#plant.controls)
    if (parsed.ok) this.#carryOut(parsed.command)
    else this.#answer({ error: parsed.error })
  }

  #carryOut(command: Command): void {
    // What has passed until now passed under the old settings.
    this.#advance()
    switch (command.kind) {
      case 'set':
        this.#plant.set(command.param, command.value)
        return
      case 'start':
        this.#plant.setRunning(true)
        return
      case 'stop':
        this.#plant.setRunning(false)
        return
      case 'rate':
        this.#rateHz = command.hz
        this.#wake?.()
        return
      case 'ping':
        this.#answer({ pong: command.id })
        return
      case 'describe':
        this.#answer(this.#description())
    }
  }

  #description(): Readonly<Record<string, unknown>> {
    return {
      report: 'describe',
      name: this.#plant.name,
      controls: this.#plant.controls.map((control) => ({
        ...control,
        value: this.#plant.setting(control.param),
      })),
      fields: this.#fields(),
      stop: { cmd: 'stop' },
      start: { cmd: 'start' },
      rate: this.#rateHz,
      dropped: this.#dropped,
    }
  }

  /** The numbers of a data line and their units. */
  #fields(): readonly { readonly name: string; readonly unit: string }[] {
    const target = this.#plant.controls.filter(({ param }) => param === 'target')
    return [
      ...this.#plant.fields.map(({ name, unit }) => ({ name, unit })),
      ...target.map(({ param, unit }) => ({ name: param, unit })),
    ]
  }

  #answer(answer: Readonly<Record<string, unknown>>): void {
    this.#send(JSON.stringify(answer))
  }

  #send(line: string): void {
    if (this.#sink?.(line) !== true) this.#dropped += 1
  }
}

function roundTo4(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
