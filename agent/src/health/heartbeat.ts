import type { Clock } from '@relay/common/clock'
import { Progress } from '@relay/common/progress'
import type { FeedHub, Member } from '../feeds/feed-hub.ts'
import type { Part } from '../part.ts'
import { heartbeatMessage } from './heartbeat-message.ts'
import type { Health } from './judge-health.ts'
import type { StatusReport } from './status-report.ts'

export interface HeartbeatOptions {
  /** The feed whose topic carries it. */
  readonly feed: string
  readonly everyMs: number
}

export interface HeartbeatDeps {
  readonly hub: Pick<FeedHub, 'publish'>
  readonly report: () => StatusReport
  /** The last known one; never waits. */
  readonly temperatureC: () => number | undefined
  readonly clock: Clock
  readonly random: () => number
}

const lookEveryMs = 1_000
/** A verdict that flickers is told no more often than this. */
const restMs = 5_000
/** Boards that get their power at once do not all speak at once. */
const longestStartMs = 5_000

/** Says on a feed how the agent does: regularly, and soon after a verdict has changed. */
export class Heartbeat implements Part, Member {
  readonly name = 'heartbeat'
  readonly progress: Progress
  readonly #options: HeartbeatOptions
  readonly #deps: HeartbeatDeps
  #told = { verdicts: '', atMs: Number.NEGATIVE_INFINITY }

  constructor(options: HeartbeatOptions, deps: HeartbeatDeps) {
    this.#options = options
    this.#deps = deps
    this.progress = new Progress(deps.clock)
  }

  /** It hears nothing. */
  deliver(): void {}

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps
    this.progress.promise(longestStartMs + 10 * lookEveryMs)
    await clock.sleep(random() * Math.min(longestStartMs, this.#options.everyMs), signal)
    while (!signal.aborted) {
      this.progress.promise(10 * lookEveryMs)
      this.#beatIfDue()
      await clock.sleep(lookEveryMs, signal)
    }
    this.progress.rest()
  }

  #beatIfDue(): void {
    const { hub, clock, report, temperatureC } = this.#deps
    const now = report()
    const nowMs = clock.monotonicMs()
    const verdicts = verdictsText(now.health)
    const sinceMs = nowMs - this.#told.atMs
    // A look comes a little late, and so would every beat otherwise.
    const isDue = sinceMs >= this.#options.everyMs - lookEveryMs / 2
    if (!isDue && (verdicts === this.#told.verdicts || sinceMs < restMs)) return
    this.#told = { verdicts, atMs: nowMs }
    const data = Buffer.from(heartbeatMessage(now, temperatureC()))
    hub.publish(this.#options.feed, { data, binary: false }, this)
  }
}

function verdictsText({ live, ready, linked }: Health): string {
  return [live, ready, linked].map(({ ok }) => (ok ? 'y' : 'n')).join('')
}
