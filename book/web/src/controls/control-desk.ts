import { systemClock } from '@relay/common/clock'
import type { DataFeed } from '../data/data-feed.ts'
import { Store } from '../store.ts'
import { type Control, type Controls, defaultControls, readControls, setPointText } from './controls-model.ts'
import { SetPointSender } from './set-point-sender.ts'
import type { Settings } from './settings.ts'

/** Where the controls on show come from. */
export type ControlsSource = 'asking' | 'instrument' | 'settings' | 'default'

export type StopState =
  | { readonly kind: 'idle' }
  /** Pressed while the link was down: sent first when it is back. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'sent'; readonly atMs: number }

const setPointGapMs = 100
/** An instrument that can describe itself does so within this time. */
const describeTimeoutMs = 3000

/**
 * Sends what the viewer wants of the instrument.
 *
 * Invariants: stop goes before everything else and is never lost, a set-point is sent now or not at all, and after stop
 * no older set-point follows.
 */
export class ControlDesk {
  readonly controls = new Store<Controls>(defaultControls)
  readonly source = new Store<ControlsSource>('asking')
  readonly stopState = new Store<StopState>({ kind: 'idle' })
  /** Keys of commands that could not be sent, for the panel to say so; emptied by the next success. */
  readonly unsent = new Store<ReadonlySet<string>>(new Set())
  readonly #feed: DataFeed
  readonly #settings: Settings
  readonly #sender: SetPointSender

  constructor(feed: DataFeed, settings: Settings) {
    this.#feed = feed
    this.#settings = settings
    this.#sender = new SetPointSender({
      gapMs: setPointGapMs,
      clock: systemClock,
      send: (line) => feed.link.send(line),
      onResult: (key, wasSent) => this.#note(key, wasSent),
    })
    if (settings.controls !== undefined) {
      this.controls.set(settings.controls)
      this.source.set('settings')
    } else if (!settings.mayDescribe || !feed.stream.canWrite) this.source.set('default')
  }

  /** Follows the feed until `signal` aborts. */
  run(signal: AbortSignal): void {
    const unsubscribe = [
      this.#feed.opened.subscribe(() => this.#greet(signal)),
      this.#feed.description.subscribe((description) => this.#adopt(description)),
    ]
    signal.addEventListener('abort', () => {
      for (const stop of unsubscribe) stop()
      this.#sender.clear()
    })
  }

  setPoint(control: Control, value: number): void {
    this.#sender.set(control.param, setPointText(control, value))
  }

  start(): void {
    const { start } = this.controls.value
    if (start === undefined) return
    this.stopState.set({ kind: 'idle' })
    this.#note('start', this.#feed.link.send(JSON.stringify(start)))
  }

  stop(): void {
    this.#sender.clear()
    const wasSent = this.#feed.link.send(JSON.stringify(this.controls.value.stop), { isUrgent: true })
    this.stopState.set(wasSent ? { kind: 'sent', atMs: Date.now() } : { kind: 'waiting' })
  }

  /** Sends a line as it is; false when the link is down. */
  sendLine(line: string): boolean {
    return this.#feed.link.send(line)
  }

  #greet(signal: AbortSignal): void {
    if (this.stopState.value.kind === 'waiting') this.stop()
    if (!this.#settings.mayDescribe || !this.#feed.stream.canWrite) return
    this.#feed.link.send(JSON.stringify({ cmd: 'describe' }))
    void systemClock.sleep(describeTimeoutMs, signal).then(() => {
      if (this.source.value === 'asking') this.source.set('default')
    })
  }

  #adopt(description: object | undefined): void {
    if (description === undefined || this.#settings.controls !== undefined) return
    const { controls } = readControls(description)
    // Asked by another viewer, or after a reconnect: nothing new, so nothing is drawn anew.
    if (JSON.stringify(controls) !== JSON.stringify(this.controls.value)) this.controls.set(controls)
    this.source.set('instrument')
  }

  #note(key: string, wasSent: boolean): void {
    const before = this.unsent.value
    if (wasSent === !before.has(key)) return
    const after = new Set(before)
    if (wasSent) after.delete(key)
    else after.add(key)
    this.unsent.set(after)
  }
}
