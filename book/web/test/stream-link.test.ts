import { expect, onTestFinished, test, vi } from 'vitest'
import type { LinkState } from '../src/links/link-state.ts'
import { StreamLink } from '../src/links/stream-link.ts'
import { TestRelay } from './test-relay.ts'

const patience = { timeout: 8000, interval: 20 }

interface Joined {
  readonly relay: TestRelay
  readonly link: StreamLink
  readonly states: LinkState[]
  readonly messages: (string | Uint8Array)[]
  readonly stateWhenOpened: readonly string[]
  readonly finished: Promise<void>
  readonly leave: () => void
}

/** A relay with orders, and a link that joins it; both end with the test. */
async function join(
  order: (relay: TestRelay) => void = () => undefined,
  { firstPatienceMs = 30_000, url }: { readonly firstPatienceMs?: number; readonly url?: string } = {},
): Promise<Joined> {
  const relay = await TestRelay.listen()
  order(relay)
  const states: LinkState[] = []
  const messages: (string | Uint8Array)[] = []
  const stateWhenOpened: string[] = []
  const link = new StreamLink({
    stream: {
      for: 'data',
      url: url ?? relay.url,
      token: 'a.b.c',
      canRead: true,
      canWrite: true,
      expiresAtMs: undefined,
    },
    firstPatienceMs,
    onMessage: (data) => messages.push(data),
    onOpen: () => stateWhenOpened.push(link.state.value.kind),
  })
  link.state.subscribe((state) => states.push(state))
  const left = new AbortController()
  const finished = link.run(left.signal)
  onTestFinished(async () => {
    left.abort()
    await finished
    await relay[Symbol.asyncDispose]()
  })
  return { relay, link, states, messages, stateWhenOpened, finished, leave: () => left.abort() }
}

function expectState(link: StreamLink, state: Partial<LinkState>): Promise<void> {
  return vi.waitFor(() => expect(link.state.value).toMatchObject(state), patience)
}

test('it joins as pages always did: POST, body {}, JSON, the bare token', async () => {
  const { relay, link } = await join()
  await expectState(link, { kind: 'open' })

  expect(relay.posts).toEqual([{ authorization: 'a.b.c', contentType: 'application/json', body: '{}' }])
})

test('what belongs to the old link is cleared before anybody is told that the new one is open', async () => {
  const { link, stateWhenOpened } = await join()
  await expectState(link, { kind: 'open' })

  expect(stateWhenOpened).toEqual(['joining'])
})

test('text comes as text and bytes as bytes, and what is sent arrives', async () => {
  const { relay, link, messages } = await join()
  await expectState(link, { kind: 'open', heard: false })
  for (const socket of relay.sockets) {
    socket.send('{"a":1}')
    socket.send(Uint8Array.of(1, 2))
  }
  await expectState(link, { kind: 'open', heard: true })
  await vi.waitFor(() => expect(messages).toEqual(['{"a":1}', Uint8Array.of(1, 2)]), patience)

  expect(link.send('{"cmd":"stop"}')).toBe(true)
  await vi.waitFor(() => expect(relay.received).toEqual(['{"cmd":"stop"}']), patience)
})

test('a link that was cut is dialled again with a fresh code', async () => {
  const { relay, link, states } = await join()
  await expectState(link, { kind: 'open' })
  relay.cut()
  await expectState(link, { kind: 'retrying', problem: 'dropped' })
  await expectState(link, { kind: 'open' })

  expect(new Set(relay.codes).size).toBe(2)
  expect(states.map(({ kind }) => kind)).toEqual(['joining', 'open', 'retrying', 'joining', 'open'])
})

test.for([
  ['a connection that is reset', 'reset', 'network'],
  ['a relay in trouble', { status: 502, body: '<html>' }, 'relay-trouble'],
  ['an answer that makes no sense', { status: 200, body: '{"uri":7}' }, 'nonsense'],
] as const)('%s is named, and tried again', async ([_name, access, problem]) => {
  const { relay, link } = await join((one) => {
    one.access = access
  })
  await expectState(link, { kind: 'retrying', problem })

  relay.access = 'address'
  link.dialNow()
  await expectState(link, { kind: 'open' })
})

test('a relay that does not listen is named', async () => {
  const gone = await TestRelay.listen()
  const { url } = gone
  await gone[Symbol.asyncDispose]()
  const { link } = await join(undefined, { url })

  await expectState(link, { kind: 'retrying', problem: 'network' })
})

test('an upgrade that is refused is named, and tried again with a fresh code', async () => {
  const { relay, link } = await join((one) => {
    one.opens = false
  })
  await expectState(link, { kind: 'retrying', problem: 'relay-down' })
  relay.opens = true
  await expectState(link, { kind: 'open' })

  expect(new Set(relay.codes).size).toBe(relay.codes.length)
})

test('a token that is refused again and again is given up, until somebody tries again', async () => {
  const { relay, link } = await join((one) => {
    one.access = { status: 401, body: '"Token Wrong Topic"\n' }
  })
  await expectState(link, { kind: 'ended', because: 'refused' })
  expect(relay.posts).toHaveLength(3)

  link.dialNow()
  await vi.waitFor(() => expect(relay.posts).toHaveLength(6), patience)
  await expectState(link, { kind: 'ended', because: 'refused' })

  relay.access = 'address'
  link.dialNow()
  await expectState(link, { kind: 'open' })
})

test('a cancelled booking ends a live link, and is not tried again', async () => {
  const { relay, link } = await join()
  await expectState(link, { kind: 'open' })
  relay.access = { status: 400, body: '{"code":"400","message":"bookingID has been deny-listed"}' }
  relay.cut()
  await expectState(link, { kind: 'ended', because: 'cancelled' })

  expect(relay.posts).toHaveLength(2)
})

test('a busy relay gets the pause that it asks for', async () => {
  const { link } = await join((one) => {
    one.access = { status: 429, body: '', headers: { 'retry-after': '60' } }
  })
  await expectState(link, { kind: 'retrying', problem: 'busy' })

  const { value } = link.state
  expect(value.kind === 'retrying' ? value.untilMs - performance.now() : 0).toBeGreaterThan(55_000)
})

test('a link that is open and mute, as old relays leave refused ones, is dialled anew', async () => {
  const { relay, link } = await join(undefined, { firstPatienceMs: 200 })
  await expectState(link, { kind: 'retrying', problem: 'silent' })
  await vi.waitFor(() => expect(relay.codes.length).toBeGreaterThan(1), patience)
})

test('after the end of the booking nothing is dialled any more', async () => {
  const { relay, link, finished, leave } = await join()
  await expectState(link, { kind: 'open' })
  link.expire()
  leave()
  await finished
  await vi.waitFor(() => expect(relay.sockets.size).toBe(0), patience)

  expect(link.state.value).toEqual({ kind: 'ended', because: 'expired' })
  expect(relay.posts).toHaveLength(1)
  expect(link.send('x')).toBe(false)
})

test('leaving while a dial hangs ends it at once', async () => {
  const { link, finished, leave } = await join((one) => {
    one.access = 'silence'
  })
  await expectState(link, { kind: 'joining' })
  const startedAtMs = performance.now()
  leave()
  await finished

  expect(performance.now() - startedAtMs).toBeLessThan(3000)
})
