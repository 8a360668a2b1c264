import { ControlDesk } from './controls/control-desk.ts'
import { noSettings, readSettings, type Settings } from './controls/settings.ts'
import { DataFeed } from './data/data-feed.ts'
import { formatTimeLeft } from './format.ts'
import type { LabParameters } from './parameters/stream-parameters.ts'
import { Store } from './store.ts'
import { texts } from './texts.ts'
import type { VideoState } from './video/video-state.ts'

/** Something to be said aloud; `id` makes the same words news again. */
export interface Announcement {
  readonly id: number
  readonly text: string
  readonly isUrgent: boolean
}

export type TimeLeft =
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'left'; readonly text: string; readonly urgency: 'calm' | 'soon' | 'now' }
  | { readonly kind: 'over' }

/** The instrument's side of a session: absent where the activity has no data stream. */
export interface Instrument {
  readonly feed: DataFeed
  readonly desk: ControlDesk
}

const settingsTimeoutMs = 5000
const maxSettingsCharacters = 262_144
const soonMs = 5 * 60_000
const nowMs = 60_000

/**
 * One booked session on the page: its settings, its instrument and its end. Video belongs to the panel that shows it,
 * as the viewer may change cameras.
 */
export class LabSession {
  readonly parameters: LabParameters
  readonly instrument = new Store<Instrument | undefined>(undefined)
  readonly settings = new Store<Settings>(noSettings)
  readonly timeLeft = new Store<TimeLeft>({ kind: 'unlimited' })
  readonly videoState = new Store<VideoState | undefined>(undefined)
  readonly announcement = new Store<Announcement | undefined>(undefined)
  readonly notices = new Store<readonly string[]>([])
  /** Aborts when the booking ends or the page is left: everything that holds a link follows it. */
  readonly #links = new AbortController()
  #announced = 0

  constructor(parameters: LabParameters) {
    this.parameters = parameters
    if (parameters.unused.length > 0) this.notices.set([texts.unusedStreams(parameters.unused.join(', '))])
  }

  get signal(): AbortSignal {
    return this.#links.signal
  }

  /** Whether the booking has ended. */
  get isOver(): boolean {
    return this.timeLeft.value.kind === 'over'
  }

  /** Runs until `left` aborts. */
  async run(left: AbortSignal): Promise<void> {
    left.addEventListener('abort', () => this.#links.abort())
    const countdown = setInterval(() => this.#countDown(), 500)
    left.addEventListener('abort', () => clearInterval(countdown))
    this.#countDown()
    const settings = await this.#loadSettings()
    if (this.#links.signal.aborted || this.parameters.data === undefined) return
    const feed = new DataFeed(this.parameters.data)
    if (!settings.mayPing) feed.stopPinging()
    const desk = new ControlDesk(feed, settings)
    desk.run(this.signal)
    this.instrument.set({ feed, desk })
    await feed.run(this.signal)
  }

  announce(text: string, { isUrgent = false } = {}): void {
    this.#announced += 1
    this.announcement.set({ id: this.#announced, text, isUrgent })
  }

  dismissNotice(text: string): void {
    this.notices.set(this.notices.value.filter((notice) => notice !== text))
  }

  /** The settings in the link, or behind the address in the link; without them the page works as well. */
  async #loadSettings(): Promise<Settings> {
    const { config } = this.parameters
    if (config === undefined) return noSettings
    const settings = config.startsWith('{') ? readSettings(config) : await this.#fetchSettings(config)
    if (settings === undefined) this.notices.set([...this.notices.value, texts.settingsUnreadable])
    else this.settings.set(settings)
    return settings ?? noSettings
  }

  async #fetchSettings(address: string): Promise<Settings | undefined> {
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), settingsTimeoutMs)
    try {
      const response = await fetch(address, {
        signal: limit.signal,
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
      })
      if (!response.ok) return undefined
      const text = await response.text()
      return text.length > maxSettingsCharacters ? undefined : readSettings(text)
    } catch {
      // Unreachable, not allowed by CORS, or not an address: the page says so and goes on.
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  #countDown(): void {
    const { expiresAtMs } = this.parameters
    if (expiresAtMs === undefined || this.isOver) return
    const leftMs = expiresAtMs - Date.now()
    const before = this.timeLeft.value
    if (leftMs <= 0) {
      this.#end()
      return
    }
    const text = formatTimeLeft(leftMs)
    const urgency = leftMs > soonMs ? 'calm' : leftMs > nowMs ? 'soon' : 'now'
    if (before.kind === 'left' && before.text === text) return
    this.timeLeft.set({ kind: 'left', text, urgency })
    const isNews = before.kind !== 'left' || before.urgency !== urgency
    if (isNews && urgency !== 'calm') {
      this.announce(urgency === 'soon' ? texts.fiveMinutesLeft : texts.oneMinuteLeft)
    }
  }

  #end(): void {
    this.timeLeft.set({ kind: 'over' })
    this.instrument.value?.feed.link.expire()
    this.#links.abort()
    this.announce(texts.sessionEnded)
  }
}
