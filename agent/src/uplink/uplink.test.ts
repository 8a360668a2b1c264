import { aborted } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { AccessRefusedError } from '@relay/common/exchange-token'
import { FakeClock } from '@relay/common/fake-clock'
import { RetryLaterError } from '@relay/common/keep-connected'
import { silentLog } from '@relay/common/log'
import { afterEach, describe, expect, test } from 'vitest'
import { capturedLog } from '../../test/captured-log.ts'
import { FeedHub, type Member } from '../feeds/feed-hub.ts'
import { framePackets } from '../../test/made-up-stream.ts'
import { ScriptedRelay } from '../../test/scripted-relay.ts'
import type { TokenSource } from '@relay/common/token-source'
import { Uplink, type UplinkOptions } from './uplink.ts'

const camera: Member = { name: 'camera', deliver: () => undefined }
const limits = { maxBufferedBytes: 10_000, maxLagMs: 1_000, queueBytes: 2_000, queueAgeMs: 30_000 }

/** A token that a test can change, as if somebody had edited its file. */
class ChangeableToken implements TokenSource {
  #token = 'first'
  #changed = Promise.withResolvers<void>()

  read(): Promise<string> {
    return Promise.resolve(this.#token)
  }

  change(token: string): void {
    this.#token = token
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  async whenChanged(known: string | undefined, signal: AbortSignal): Promise<void> {
    if (known === undefined || known === this.#token)
      await Promise.race([this.#changed.promise, aborted(signal)])
  }
}

/** Time goes on while no timer of this process fires, as when the whole board stands still. */
class SuspendableClock extends FakeClock {
  #suspendedMs = 0

  suspend(forMs: number): void {
    this.#suspendedMs += forMs
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.#suspendedMs
  }
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

function setUp(options: Partial<UplinkOptions> = {}, clock = new FakeClock()) {
  const relay = new ScriptedRelay()
  const hub = new FeedHub()
  const token = new ChangeableToken()
  const exchanges: { readonly atMs: number; readonly token: string }[] = []
  const access: { fault: Error | undefined; delayMs: number } = { fault: undefined, delayMs: 0 }
  const uplink = new Uplink(
    {
      id: '0',
      feed: 'data',
      destination: 'https://access.example/session/t',
      token,
      delivery: 'auto',
      limits,
      recorder: undefined,
      ...options,
    },
    {
      hub,
      clock,
      random: () => 0.5,
      log: silentLog(),
      environment: {},
      dial: relay.dial,
      exchange: async (request) => {
        exchanges.push({ atMs: clock.monotonicMs(), token: request.token })
        if (access.delayMs > 0) await clock.sleep(access.delayMs, request.signal)
        if (access.fault !== undefined) throw access.fault
        return `wss://relay.example/t?code=${exchanges.length}`
      },
    },
  )
  const controller = new AbortController()
  const running = uplink.run(controller.signal)
  const stop = async (): Promise<void> => {
    controller.abort()
    await running
  }
  stops.push(stop)
  const say = (text: string): void => hub.publish('data', { data: Buffer.from(text), binary: false }, camera)
  const show = (data: Buffer | string): void =>
    hub.publish('data', { data: Buffer.from(data), binary: true }, camera)
  /** Moves the time on in steps in which the relay answers pings. */
  const livesFor = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += 1_000) {
      relay.link.pong()
      await clock.advance(1_000)
    }
  }
  return { clock, relay, hub, token, exchanges, access, uplink, stop, say, show, livesFor }
}

async function setUpLive(options: Partial<UplinkOptions> = {}, clock = new FakeClock()) {
  const world = setUp(options, clock)
  await world.clock.advance(0)
  world.relay.link.pong()
  return world
}

describe('two uplinks from one feed to one address', () => {
  async function setUpTwo(destinations: readonly [string, string]) {
    const { log, lines } = capturedLog()
    const first = await setUpLive({ token: undefined, destination: destinations[0] })
    const { hub, clock, relay } = first
    const second = new Uplink(
      {
        id: '1',
        feed: 'data',
        destination: destinations[1],
        token: undefined,
        delivery: 'auto',
        limits,
        recorder: undefined,
      },
      { hub, clock, random: () => 0.5, log, environment: {}, dial: relay.dial },
    )
    const controller = new AbortController()
    const running = second.run(controller.signal)
    const stopSecond = async (): Promise<void> => {
      controller.abort()
      await running
    }
    stops.push(stopSecond)
    await clock.advance(0)
    relay.link.pong()
    return { ...first, lines }
  }

  test.each(['ws://relay.example/t/', 'ws://Relay.example:80/t?', 'ws://relay.example/t'])(
    'do not echo each other though the other one is spelt %s, and that is warned of',
    async (spelling) => {
      const { relay, say, lines } = await setUpTwo(['ws://relay.example/t', spelling])

      say('reading')
      // The relay gives to each what the other has sent.
      for (const link of relay.links) link.say('reading')

      expect(relay.links.map(({ sent }) => sent)).toEqual([['reading'], ['reading']])
      expect(lines.join('')).toContain('another uplink joins this feed to the same address')
      expect(lines.join('')).toContain('"uplink":"1"')
    },
  )

  test('with different addresses hear each other, and nobody is warned', async () => {
    const { relay, lines } = await setUpTwo(['ws://relay.example/t', 'ws://relay.example/other'])

    relay.links[0]?.say('command')

    expect(relay.links[1]?.sent).toEqual(['command'])
    expect(lines.join('')).not.toContain('another uplink')
  })

  test('one of which has been told to stop are one', async () => {
    const first = setUp({ token: undefined, destination: 'ws://relay.example/t' })
    await first.clock.advance(0)
    const stopping = first.stop()

    expect(first.hub.hasMember('data', 'ws://relay.example/t')).toBe(false)
    await stopping
  })
})

describe('the first attempt', () => {
  test('is made at once, with the token, and dials what the access server gave', async () => {
    const { relay, exchanges, uplink } = await setUpLive()

    expect(exchanges).toEqual([{ atMs: 0, token: 'first' }])
    expect(relay.link.uri).toBe('wss://relay.example/t?code=1')
    expect(uplink.status().state.kind).toBe('live')
  })

  test('without a token dials the destination itself', async () => {
    const { relay, exchanges } = await setUpLive({
      token: undefined,
      destination: 'ws://relay.example/direct',
    })

    expect(exchanges).toEqual([])
    expect(relay.link.uri).toBe('ws://relay.example/direct')
  })

  test('to an address that is of no use is the only one, and is told as a fault', async () => {
    const { clock, exchanges, uplink } = setUp({ destination: 'nonsense' })
    await clock.advance(60_000)

    expect(exchanges).toEqual([])
    expect(uplink.status()).toMatchObject({ state: { kind: 'failed' }, fault: { code: 'DESTINATION_WRONG' } })
  })
})

describe('messages', () => {
  test('go both ways', async () => {
    const { relay, hub, say } = await setUpLive()
    const heard: string[] = []
    hub.join('data', { name: 'board', deliver: ({ data }) => void heard.push(data.toString()) })

    say('up')
    relay.link.say('down')

    expect(relay.link.sent).toEqual(['up'])
    expect(heard).toEqual(['up', 'down'])
  })

  test('are not trusted to a relay that has shown no life', async () => {
    const { clock, relay, say, show } = setUp()
    await clock.advance(0)
    say('early')
    show('early picture')
    expect(relay.link.sent).toEqual([])

    relay.link.pong()

    expect(relay.link.sent).toEqual(['early'])
  })

  test('of text wait while the link is down and go out in order', async () => {
    const { clock, relay, say, uplink } = await setUpLive()
    relay.link.end(new AppError('RELAY_LOST', 'reset'))
    for (const text of ['a', 'b', 'c']) say(text)
    await clock.advance(5_000)
    relay.link.pong()

    expect(relay.link.sent).toEqual(['a', 'b', 'c'])
    expect(uplink.status().queuedMessages).toBe(0)
  })

  test('of text that waited too long are dropped and counted, and so are those beyond the limit', async () => {
    const { clock, relay, access, say, uplink } = await setUpLive()
    access.fault = new AppError('ACCESS_UNREACHABLE', 'no')
    relay.link.end(new AppError('RELAY_LOST', 'reset'))
    say('old')
    await clock.advance(31_000)
    for (let count = 0; count < 100; count++) say('x'.repeat(36))
    access.fault = undefined
    await clock.advance(11_000)
    relay.link.pong()

    expect(relay.link.sent).toHaveLength(20)
    expect(uplink.status().droppedQueuedMessages).toBe(81)
  })

  test('of video are dropped and counted while the link is down: no stale picture goes out', async () => {
    const { clock, relay, show, uplink } = await setUpLive()
    show('one')
    relay.link.end(new AppError('RELAY_LOST', 'reset'))
    show('two')
    await clock.advance(5_000)
    show('three')
    relay.link.pong()
    show('four')

    expect(relay.links.map(({ sent }) => sent)).toEqual([['one'], ['four']])
    expect(uplink.status().droppedLiveMessages).toBe(2)
  })

  test('are not sent into a connection that has begun to close', async () => {
    const { relay, say, show, uplink } = await setUpLive()
    relay.link.isOpen = false
    say('text')
    show('picture')

    expect(relay.link.sent).toEqual([])
    expect(uplink.status()).toMatchObject({ queuedMessages: 1, droppedLiveMessages: 1 })
  })

  test('follow the delivery that is configured rather than their kind', async () => {
    const live = await setUpLive({ delivery: 'live' })
    const queued = await setUpLive({ delivery: 'queued' })
    for (const { relay, say, show } of [live, queued]) {
      relay.link.end(new AppError('RELAY_LOST', 'reset'))
      say('text')
      show('binary')
    }

    expect(live.uplink.status()).toMatchObject({ queuedMessages: 0, droppedLiveMessages: 2 })
    expect(queued.uplink.status()).toMatchObject({ queuedMessages: 2, droppedLiveMessages: 0 })
  })

  test('are recorded whether or not the link is up', async () => {
    const recorded: string[] = []
    let isClosed = false
    const recorder = {
      write: (data: Buffer) => void recorded.push(data.toString()),
      close: () => {
        isClosed = true
        return Promise.resolve()
      },
    }
    const { clock, relay, say, show, stop } = setUp({ recorder })
    await clock.advance(0)
    show('before')
    relay.link.pong()
    say('during')
    await stop()

    expect(recorded).toEqual(['before', 'during'])
    expect(isClosed).toBe(true)
  })
})

describe('a slow link', () => {
  const key = framePackets({ bytes: 100, isKey: true, tellsLength: true })
  const inner = framePackets({ bytes: 100, isKey: false, tellsLength: true })

  test('loses pictures until it is free and a key frame begins', async () => {
    const { relay, show, uplink } = await setUpLive()
    show(key)
    relay.link.bufferedBytes = 10_001
    show(inner)
    relay.link.bufferedBytes = 0
    show(inner)
    show(key)
    show(inner)

    expect(relay.link.sent).toHaveLength(3)
    expect(uplink.status().droppedLiveMessages).toBe(2)
  })

  test('is noticed by pings while the bytes hide in the kernel', async () => {
    const { clock, relay, show, uplink } = await setUpLive()
    await clock.advance(300)
    for (let count = 0; count < 40; count++) {
      show(count === 0 ? key : inner)
      await clock.advance(40)
    }

    // A ping went with the first picture; one second later, after 26 pictures, nobody has answered.
    expect(uplink.status()).toMatchObject({ sentMessages: 26, droppedLiveMessages: 14 })
    relay.link.pong()
    show(key)
    expect(relay.link.sent.at(-1)).toBe(key.toString())
  })

  test('makes text wait, which goes out when it is free again', async () => {
    const { clock, relay, say } = await setUpLive()
    relay.link.bufferedBytes = 10_001
    say('command')
    expect(relay.link.sent).toEqual([])

    relay.link.bufferedBytes = 0
    await clock.advance(1_000)

    expect(relay.link.sent).toEqual(['command'])
  })
})

describe('the fault matrix', () => {
  test.each([
    ['refused', new AppError('ACCESS_UNREACHABLE', 'refused', { cause: new Error('ECONNREFUSED') })],
    ['a wrong answer', new AppError('ACCESS_BAD_ANSWER', 'answered 200 without an address')],
  ])('access %s: waits grow, are never below a second, never above ten', async (_what, fault) => {
    const { clock, exchanges, access } = setUp()
    access.fault = fault
    await clock.advance(100_000)
    const waitsMs = exchanges.slice(1).map(({ atMs }, index) => atMs - (exchanges[index]?.atMs ?? 0))

    // Half of the jitter each: 1.5, 2.5, 4.5, 5.5 s, then on and on.
    expect(waitsMs.slice(0, 4)).toEqual([1_500, 2_500, 4_500, 5_500])
    expect(waitsMs.slice(4).every((waitMs) => waitMs === 5_500)).toBe(true)
  })

  test('the relay refuses the upgrade: a fresh code for every attempt, at the same pace', async () => {
    const { clock, relay, exchanges, uplink } = setUp()
    relay.refusal = new AppError('RELAY_REFUSED', 'refused (401)')
    await clock.advance(4_400)

    expect(exchanges.length).toBe(3)
    expect(uplink.status()).toMatchObject({ failures: 3, fault: { code: 'RELAY_REFUSED' } })
  })

  test('reset: it is back within four seconds after a link that was healthy', async () => {
    const { clock, relay, livesFor, uplink } = await setUpLive()
    await livesFor(60_000)
    relay.link.end(new AppError('RELAY_LOST', 'broke'))
    await clock.advance(4_000)
    relay.link.pong()

    expect(relay.links).toHaveLength(2)
    expect(uplink.status()).toMatchObject({ state: { kind: 'live' }, connects: 2, failures: 0 })
  })

  test('silent: an access server that answers nothing for ten seconds each time is tried ever more rarely', async () => {
    const { clock, exchanges, access } = setUp()
    access.fault = new AppError('ACCESS_UNREACHABLE', 'no answer')
    access.delayMs = 10_000
    await clock.advance(60_000)

    expect(exchanges.map(({ atMs }) => atMs)).toEqual([0, 11_500, 24_000, 38_500, 54_000])
  })

  test('reset after a long life: earlier faults are forgotten, the first wait is short again', async () => {
    const { clock, relay, access, exchanges, livesFor } = setUp()
    access.fault = new AppError('ACCESS_UNREACHABLE', 'no')
    await clock.advance(20_000)
    access.fault = undefined
    await clock.advance(10_000)
    await livesFor(60_000)
    const before = exchanges.length
    relay.link.end(new AppError('RELAY_LOST', 'broke'))
    await clock.advance(1_600)

    expect(exchanges).toHaveLength(before + 1)
  })

  test('a relay that accepts and closes makes no tight loop', async () => {
    const { clock, relay } = setUp()
    for (let step = 0; step < 600; step++) {
      await clock.advance(100)
      const link = relay.links.at(-1)
      if (link?.isOpen === true) {
        link.pong()
        link.end(new AppError('RELAY_CLOSED', 'closed'))
      }
    }

    expect(relay.links.length).toBeLessThan(16)
  })

  test('a relay that accepts and stays mute is given up, and its messages are not lost', async () => {
    const { clock, relay, say, uplink } = setUp()
    await clock.advance(0)
    say('kept')
    await clock.advance(11_000)
    expect(relay.link.ended).toBe('terminated')
    expect(uplink.status().fault?.code).toBe('RELAY_MUTE')

    await clock.advance(2_000)
    relay.link.pong()

    expect(relay.links.map(({ sent }) => sent)).toEqual([[], ['kept']])
  })

  test('half-open: a relay that vanished without a word is given up after a ping and its deadline', async () => {
    const { clock, relay, uplink } = await setUpLive()
    await clock.advance(29_000)
    expect(uplink.status().state.kind).toBe('live')

    await clock.advance(3_000)

    expect(relay.links[0]?.ended).toBe('terminated')
    expect(uplink.status()).toMatchObject({ failures: 1, fault: { code: 'RELAY_SILENT' } })
  })

  test('silent but for messages: a relay that speaks and answers no ping is not given up', async () => {
    const { clock, relay, uplink } = await setUpLive()
    for (let second = 0; second < 120; second++) {
      relay.link.say('tick')
      await clock.advance(1_000)
    }

    expect(uplink.status()).toMatchObject({ state: { kind: 'live' }, connects: 1 })
  })

  test('an idle relay that answers pings stays connected for a day', async () => {
    const { relay, livesFor } = await setUpLive()
    await livesFor(86_400_000 / 24)

    expect(relay.links).toHaveLength(1)
  })

  test('a board that was suspended for a minute first hears what the relay said meanwhile', async () => {
    const clock = new SuspendableClock()
    const { relay, uplink } = await setUpLive({}, clock)
    await clock.advance(25_000)
    expect(relay.link.pings).toHaveLength(1)

    clock.suspend(60_000)
    await clock.advance(1_000)
    expect(uplink.status().state.kind).toBe('live')
    relay.link.pong()
    await clock.advance(5_000)

    expect(relay.links).toHaveLength(1)
    expect(uplink.status()).toMatchObject({ state: { kind: 'live' }, failures: 0 })
  })

  test('expired token: it is tried rarely, and a new token is used at once', async () => {
    const { clock, relay, token, exchanges, access, uplink } = setUp()
    access.fault = new AccessRefusedError(401, 'token is expired')
    await clock.advance(600_000)
    expect(exchanges.length).toBeGreaterThan(10)
    expect(exchanges.length).toBeLessThan(18)
    expect(uplink.status().fault).toMatchObject({ code: 'ACCESS_REFUSED' })

    access.fault = undefined
    token.change('second')
    await clock.advance(0)
    relay.link.pong()

    expect(exchanges.at(-1)?.token).toBe('second')
    expect(uplink.status()).toMatchObject({ state: { kind: 'live' }, fault: undefined })
  })

  test('a token that changes while the link is live replaces the connection', async () => {
    const { clock, relay, token, exchanges } = await setUpLive()
    await clock.advance(1_000)

    token.change('second')
    await clock.advance(0)

    expect(relay.links.map(({ ended }) => ended)).toEqual(['closed', undefined])
    expect(exchanges.at(-1)).toEqual({ atMs: 1_000, token: 'second' })
  })

  test('a busy access server is left alone for as long as it asks', async () => {
    const { clock, exchanges, access } = setUp()
    access.fault = new RetryLaterError('busy', 60_000)
    await clock.advance(59_000)

    expect(exchanges).toHaveLength(1)
    await clock.advance(2_000)
    expect(exchanges).toHaveLength(2)
  })

  test.each([
    ['forward', 10 * 365 * 86_400_000],
    ['back', -10 * 365 * 86_400_000],
  ])('clock jump %s by ten years: nothing happens', async (_direction, byMs) => {
    const { clock, relay, say, livesFor, uplink } = await setUpLive()
    clock.jump(byMs)
    await livesFor(60_000)
    say('still here')

    expect(relay.links).toHaveLength(1)
    expect(relay.link.sent).toEqual(['still here'])
    expect(uplink.status().state.kind).toBe('live')
  })
})

describe('stopping', () => {
  test('closes in order, and leaves no timer and no place on the feed', async () => {
    const { clock, relay, hub, stop, uplink } = await setUpLive()
    await stop()

    expect(relay.link.ended).toBe('closed')
    expect(hub.memberCount('data')).toBe(0)
    expect(clock.pending).toBe(0)
    expect(uplink.status().state.kind).toBe('stopped')
  })

  test('while waiting ends the wait', async () => {
    const { clock, access, stop } = setUp()
    access.fault = new AppError('ACCESS_UNREACHABLE', 'no')
    await clock.advance(500)

    await stop()

    expect(clock.pending).toBe(0)
  })
})
