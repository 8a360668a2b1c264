import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@relay/common/clock'
import { silentLog } from '@relay/common/log'
import { FeedHub } from '../../agent/src/feeds/feed-hub.ts'
import { fixedToken } from '@relay/common/token-source'
import { Uplink } from '../../agent/src/uplink/uplink.ts'
import type { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import { until } from '../src/rig/until.ts'

/** When a link was live again, in milliseconds of the monotonic clock. */
export interface Return {
  readonly device: number
  readonly atMs: number
}

const lookEveryMs = 20
/** The relay limits what one address may do: some hundred links take a while. */
const liveWithinMs = 120_000
const limits = {
  maxBufferedBytes: 262_144,
  maxLagMs: 1_000,
  queueBytes: 262_144,
  queueAgeMs: 30_000,
}

/** The uplinks of many devices, video and data each, by the agent's own code in one process. */
export class Fleet implements AsyncDisposable {
  readonly #uplinks: readonly (readonly Uplink[])[]
  readonly #stopping = new AbortController()
  readonly #running: Promise<unknown>

  private constructor(uplinks: readonly (readonly Uplink[])[]) {
    this.#uplinks = uplinks
    this.#running = Promise.all(uplinks.flat().map((uplink) => uplink.run(this.#stopping.signal)))
  }

  /** Switches all on at once and resolves when every link is live. */
  static async start(relay: RelayUnderTest, devices: number): Promise<Fleet> {
    const uplinks: Uplink[][] = []
    for (let device = 0; device < devices; device += 1) uplinks.push(await deviceLinks(relay, device))
    const fleet = new Fleet(uplinks)
    try {
      await until('a whole fleet that is live', () => fleet.isLive, { withinMs: liveWithinMs, everyMs: 100 })
    } catch (error) {
      await fleet[Symbol.asyncDispose]()
      throw error
    }
    return fleet
  }

  get isLive(): boolean {
    return this.#uplinks.flat().every((uplink) => uplink.status().state.kind === 'live')
  }

  /** Calls `breakRelay` and gives the returns of all links, in order. */
  async returns(breakRelay: () => Promise<void>, withinMs: number): Promise<readonly Return[]> {
    const before = this.#uplinks.map((links) => links.map((link) => link.status().connects))
    const returns: Return[] = []
    const isBack = this.#uplinks.map((links) => links.map(() => false))
    const total = isBack.flat().length
    const broken = breakRelay()
    const untilMs = performance.now() + withinMs
    while (returns.length < total && performance.now() < untilMs) {
      await sleep(lookEveryMs)
      const atMs = performance.now()
      this.#uplinks.forEach((links, device) => {
        links.forEach((link, index) => {
          const wasBack = isBack[device]?.[index] === true
          if (wasBack || link.status().connects === before[device]?.[index]) return
          ;(isBack[device] as boolean[])[index] = true
          returns.push({ device, atMs })
        })
      })
    }
    await broken
    return returns
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }
}

async function deviceLinks(relay: RelayUnderTest, device: number): Promise<Uplink[]> {
  const hub = new FeedHub(() => undefined)
  const deps = { hub, clock: systemClock, random: Math.random, log: silentLog(), environment: {} }
  const links: Uplink[] = []
  for (const feed of ['video', 'data']) {
    const topic = `fleet${device}-${feed}`
    const token = fixedToken(await relay.token(topic, { bookingId: `device${device}` }))
    links.push(
      new Uplink(
        {
          id: topic,
          feed,
          destination: relay.topic(topic),
          token,
          delivery: 'auto',
          limits,
          recorder: undefined,
        },
        deps,
      ),
    )
  }
  return links
}
