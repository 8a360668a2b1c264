import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeClock } from '../fake-clock.ts'
import { FakeLink, FakeLocal } from './fake-tunnel.ts'
import type { SessionEnd } from './session-end.ts'
import type { LinkEnd } from './tunnel-link.ts'
import { TunnelSession } from './tunnel-session.ts'

/** One end with everything around it that a test looks at. */
class End {
  readonly local = new FakeLocal()
  readonly session: TunnelSession
  over: SessionEnd | undefined
  lost: LinkEnd[] = []

  constructor(role: 'client' | 'host', clock: FakeClock, windowBytes = 200_000) {
    this.session = new TunnelSession(
      { role, windowBytes },
      {
        clock,
        local: this.local,
        onLinkLost: (end) => void this.lost.push(end),
        onOver: (end) => {
          if (this.over !== undefined) throw new Error('it ended twice')
          this.over = end
        },
      },
    )
    this.local.events = this.session
  }

  get delivered(): Buffer {
    return Buffer.concat(this.local.taken)
  }
}

interface Pair {
  readonly clock: FakeClock
  readonly client: End
  readonly host: End
  links: readonly [FakeLink, FakeLink]
}

/** What opens a link for real is done here by hand: `open` and `opened` say these numbers. */
function join(pair: Omit<Pair, 'links'>, fullBytes?: number): readonly [FakeLink, FakeLink] {
  const links = FakeLink.pair(fullBytes === undefined ? {} : { fullBytes })
  const [atClient, atHost] = links
  if (pair.client.over !== undefined) return links
  pair.host.session.attach(atHost, pair.client.session.state)
  const opened = JSON.parse(String(atHost.sent[0])) as { readonly received: number; readonly window: number }
  pair.client.session.attach(atClient, opened)
  return links
}

function connected(windowBytes?: number): Pair {
  const clock = new FakeClock()
  const ends = {
    clock,
    client: new End('client', clock, windowBytes),
    host: new End('host', clock, windowBytes),
  }
  return { ...ends, links: join(ends) }
}

/** Moves everything that can move. */
async function settle(pair: Pair): Promise<void> {
  for (let idle = 0; idle < 2; ) {
    const [atClient, atHost] = pair.links
    const moved = [atClient.deliver(), atHost.deliver(), pair.client.local.take(), pair.host.local.take()]
    if (moved.includes(true)) {
      idle = 0
    } else {
      idle += 1
      await pair.clock.advance(50)
    }
  }
}

test('bytes go both ways and the acknowledgement comes within 50 ms', async () => {
  const pair = connected()
  pair.client.session.localBytes(Buffer.from('to the host'))
  pair.host.session.localBytes(Buffer.from('to the client'))
  await settle(pair)

  expect(pair.host.delivered.toString()).toBe('to the host')
  expect(pair.client.delivered.toString()).toBe('to the client')
  expect(pair.links[1].sent).toContain('a11')
  expect(pair.links[0].sent).toContain('a13')
})

test('after 256 KiB an acknowledgement is sent at once', () => {
  const pair = connected(1_000_000)
  for (let i = 0; i < 4; i++) pair.client.session.localBytes(Buffer.alloc(65_536))
  while (pair.links[0].deliver()) pair.host.local.take()

  expect(pair.links[1].sent).toContain('a262144')
})

test('one direction ends and the other goes on: half-close', async () => {
  const pair = connected()
  pair.client.session.localBytes(Buffer.from('question'))
  pair.client.session.localEnded()
  await settle(pair)
  expect(pair.host.local.hasTakenEnd).toBe(true)
  expect(pair.client.over).toBeUndefined()

  pair.host.session.localBytes(Buffer.from('answer'))
  pair.host.session.localEnded()
  await settle(pair)
  expect(pair.client.delivered.toString()).toBe('answer')
  expect(pair.client.over).toMatchObject({ isClean: true })
  expect(pair.links[0].closedWith).toMatchObject({ code: 1000 })
  expect(pair.host.over).toMatchObject({ isClean: true })
  expect(pair.clock.pending).toBe(0)
})

test('a host keeps a finished session for 30 s, so that a client that missed the last word can ask again', async () => {
  const pair = connected()
  pair.client.session.localEnded()
  pair.host.session.localEnded()
  // Everything but the last acknowledgement of the host arrives.
  while (pair.links[0].deliver() || pair.host.local.take()) continue
  while (pair.links[1].queued > 1) pair.links[1].deliver()
  pair.client.local.take()
  while (pair.links[0].deliver()) continue
  pair.links[0].cut()
  expect(pair.client.over).toBeUndefined()
  expect(pair.host.over).toBeUndefined()

  pair.links = join(pair)
  await settle(pair)
  expect(pair.client.over).toMatchObject({ isClean: true })
  expect(pair.host.over).toMatchObject({ isClean: true })
})

test('a finished session that nobody asks for is forgotten after 30 s', async () => {
  const pair = connected()
  pair.client.session.localEnded()
  pair.host.session.localEnded()
  const [atClient, atHost] = pair.links
  while (pair.client.over === undefined) {
    atHost.deliver()
    if (atClient.queued > 0) atClient.deliver()
    pair.host.local.take()
    pair.client.local.take()
  }
  // Its last acknowledgement arrives, its close does not.
  while (atClient.queued > 0) atClient.deliver()
  pair.links[0].cut()
  await pair.clock.advance(29_000)
  const before = pair.host.over
  await pair.clock.advance(1_100)

  expect(before).toBeUndefined()
  expect(pair.host.over).toMatchObject({ isClean: true })
})

test('an end that was taken while there was no link is told with the next one, and then both are done', async () => {
  const pair = connected()
  pair.client.session.localEnded()
  pair.host.session.localEnded()
  const [atClient, atHost] = pair.links
  while (atClient.queued > 0) atClient.deliver()
  pair.host.local.take()
  while (atHost.queued > 0) atHost.deliver()
  atClient.cut()
  pair.client.local.take()
  expect(pair.client.over).toBeUndefined()

  pair.links = join(pair)
  expect(pair.client.over).toMatchObject({ isClean: true })
  await settle(pair)
  expect(pair.host.over).toMatchObject({ isClean: true })
})

test('a connection that breaks at one end is broken at the other, with its reason', async () => {
  const pair = connected()
  pair.host.local.break()
  await settle(pair)

  expect(pair.client.local.isReset).toBe(true)
  expect(pair.client.over).toMatchObject({ isClean: false, by: 'peer', error: { code: 'LOCAL_BROKE' } })
  expect(pair.host.over).toMatchObject({ isClean: false, by: 'local' })
})

test('without a link for 120 s a session is given up and its connection broken', async () => {
  const pair = connected()
  pair.links[0].cut()
  await pair.clock.advance(119_900)
  expect(pair.client.over).toBeUndefined()
  await pair.clock.advance(200)

  expect(pair.client.over).toMatchObject({ by: 'time', error: { code: 'SESSION_LOST' } })
  expect(pair.client.local.isReset).toBe(true)
  expect(pair.host.local.isReset).toBe(true)
})

test.each([
  [1001, undefined],
  [4000, undefined],
  [4007, undefined],
  [1006, undefined],
  [1011, undefined],
  [1000, 'ENDED_EARLY'],
  [4001, 'TOKEN_EXPIRED'],
  [4002, 'DENIED'],
  [4003, 'KEY_RETIRED'],
  [4004, 'HOST_GONE'],
  [4006, 'TOO_SLOW'],
])('a link that ends with %d leaves the session in this state: %s', (code, expected) => {
  const pair = connected()
  pair.links[0].cut(code)

  expect(pair.client.over?.error?.code).toBe(expected)
  expect(pair.client.lost.length).toBe(expected === undefined ? 1 : 0)
  expect(pair.client.local.isReset).toBe(expected !== undefined)
})

test('a newer link closes the one before with 1000 and goes on where it was', async () => {
  const pair = connected()
  pair.client.session.localBytes(Buffer.from('one '))
  await settle(pair)
  const before = pair.links
  pair.links = join(pair)
  pair.client.session.localBytes(Buffer.from('two'))
  await settle(pair)

  expect(before[1].closedWith).toMatchObject({ code: 1000 })
  expect(pair.host.delivered.toString()).toBe('one two')
})

test('reading stops when the window is full and goes on when it is acknowledged', async () => {
  const pair = connected(100_000)
  expect(pair.client.local.isPaused).toBe(false)
  pair.client.session.localBytes(Buffer.alloc(60_000))
  pair.client.session.localBytes(Buffer.alloc(60_000))
  expect(pair.client.local.isPaused).toBe(true)
  const sentBytes = pair.links[0].sent.reduce((sum, m) => sum + (typeof m === 'string' ? 0 : m.length), 0)
  expect(sentBytes).toBe(100_000)

  await settle(pair)
  expect(pair.client.local.isPaused).toBe(false)
  expect(pair.host.delivered.length).toBe(120_000)
})

test('reading stops when the link is full and goes on when it has drained', () => {
  const clock = new FakeClock()
  const ends = { clock, client: new End('client', clock, 1_000_000), host: new End('host', clock, 1_000_000) }
  const links = join(ends, 100_000)
  for (let i = 0; i < 3; i++) ends.client.session.localBytes(Buffer.alloc(50_000))
  expect(ends.client.local.isPaused).toBe(true)
  while (links[0].deliver()) continue

  expect(ends.client.local.isPaused).toBe(false)
})

test.each([
  ['acknowledges what was never sent', 'a5'],
  ['ends its stream where it is not', '{"type":"fin","at":7}'],
])('a peer that %s is broken off', (_what, text) => {
  const pair = connected()
  pair.client.session.linkText(text)

  expect(pair.client.over).toMatchObject({ error: { code: 'BAD_PEER' } })
  expect(pair.links[0].sent.at(-1)).toMatch(/^\{"type":"reset","code":"BAD_PEER"/)
})

test('a peer that sends more than the window is broken off before it is kept', () => {
  const pair = connected(100_000)
  pair.client.session.linkBytes(Buffer.alloc(100_000))
  expect(pair.client.over).toBeUndefined()
  pair.client.session.linkBytes(Buffer.alloc(1))

  expect(pair.client.over).toMatchObject({ error: { code: 'BAD_PEER' } })
})

test('a peer that claims to have received what was never sent is broken off', () => {
  const clock = new FakeClock()
  const client = new End('client', clock)
  const [link] = FakeLink.pair()
  client.session.attach(link, { received: 1, window: 100_000 })

  expect(client.over).toMatchObject({ error: { code: 'BAD_PEER' } })
})

/** What one step of a run does. */
const stepOf = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('send' as const), at: fc.nat(1), bytes: fc.nat(70_000) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), at: fc.nat(1), times: fc.nat(8) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('take' as const), at: fc.nat(1), times: fc.nat(8) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cut' as const), code: fc.constantFrom(1001, 1006, 4000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('join' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 50, 400) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), at: fc.nat(1) }) },
)

/** Sends `bytes` of a stream that tells at each place which place it is. */
function sendSome(end: End, all: Buffer[], bytes: number): void {
  const start = all.reduce((sum, part) => sum + part.length, 0)
  const data = Buffer.from(
    Uint8Array.from({ length: bytes }, (_, i) => ((start + i) * 7 + ((start + i) >> 8)) % 256),
  )
  all.push(Buffer.from(data))
  end.session.localBytes(data)
}

test('whatever the chunks, pauses, cuts and ends: what goes in comes out, once and in order, within the windows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepOf, { maxLength: 60 }),
      fc.array(stepOf, { maxLength: 20 }),
      fc.constantFrom(65_536, 100_000, 300_000),
      async (before, after, windowBytes) => {
        const clock = new FakeClock()
        const ends = {
          clock,
          client: new End('client', clock, windowBytes),
          host: new End('host', clock, windowBytes),
        }
        const pair: Pair = { ...ends, links: join(ends, 150_000) }
        const both = [pair.client, pair.host] as const
        const sent: readonly [Buffer[], Buffer[]] = [[], []]
        const ended = [false, false]
        // The ends of both directions come at some place, and the cuts after them are those that leave most open.
        const bothEnd: readonly (typeof before)[number][] = [
          { kind: 'end', at: 0 },
          { kind: 'end', at: 1 },
        ]
        for (const step of [...before, ...bothEnd, ...after]) {
          switch (step.kind) {
            case 'send':
              if (!ended[step.at] && !both[step.at as 0 | 1].local.isPaused)
                sendSome(both[step.at as 0 | 1], sent[step.at as 0 | 1], step.bytes)
              break
            case 'deliver':
              for (let i = 0; i < step.times; i++) pair.links[step.at as 0 | 1].deliver()
              break
            case 'take':
              for (let i = 0; i < step.times; i++) both[step.at as 0 | 1].local.take()
              break
            case 'cut':
              pair.links[0].cut(step.code)
              break
            case 'join':
              pair.links = join(pair, 150_000)
              break
            case 'wait':
              await clock.advance(step.ms)
              break
            case 'end':
              ended[step.at] = true
              both[step.at as 0 | 1].session.localEnded()
              break
          }
        }
        if (!pair.links[0].isClosed || pair.client.over === undefined) pair.links = join(pair, 150_000)
        await settle(pair)
        for (const at of [0, 1] as const) if (!ended[at]) both[at].session.localEnded()
        await settle(pair)

        expect(pair.host.delivered.equals(Buffer.concat(sent[0]))).toBe(true)
        expect(pair.client.delivered.equals(Buffer.concat(sent[1]))).toBe(true)
        for (const end of both) {
          expect(end.local.mostBuffered).toBeLessThanOrEqual(windowBytes)
          expect(end.local.hasTakenEnd).toBe(true)
          expect(end.over).toMatchObject({ isClean: true })
        }
        expect(clock.pending).toBe(0)
      },
    ),
    { numRuns: 100, seed: 11 },
  )
})

test('a hostile end cannot make the other fail, corrupt what it delivered, or keep more than its window', async () => {
  const hostile = fc.oneof(
    fc.string(),
    fc.nat(300_000).map((n) => `a${n}`),
    fc.nat(300_000).map((at) => JSON.stringify({ type: 'fin', at })),
    fc.json(),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.integer({ min: 1, max: 70_000 }).map((bytes) => Buffer.alloc(bytes, 1)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(hostile, { maxLength: 60 }), fc.boolean(), async (messages, takes) => {
      const clock = new FakeClock()
      const end = new End('host', clock, 100_000)
      const [link] = FakeLink.pair()
      end.session.attach(link, { received: 0, window: 100_000 })
      end.session.localBytes(Buffer.alloc(50_000))
      const given: Buffer[] = []
      for (const message of messages) {
        if (typeof message === 'string') {
          end.session.linkText(message)
        } else {
          if (end.over === undefined) given.push(message)
          end.session.linkBytes(message)
        }
        if (takes) end.local.take()
      }
      await clock.advance(1_000)

      expect(end.local.mostBuffered).toBeLessThanOrEqual(100_000)
      expect(Buffer.concat(given).subarray(0, end.delivered.length).equals(end.delivered)).toBe(true)
    }),
    { numRuns: 200, seed: 12 },
  )
})
