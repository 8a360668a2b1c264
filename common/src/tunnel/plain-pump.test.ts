import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { FakeClock } from '../fake-clock.ts'
import { FakeLink, FakeLocal } from './fake-tunnel.ts'
import { PlainPump } from './plain-pump.ts'
import type { SessionEnd } from './session-end.ts'

function started(sendAfter: 'nothing' | 'first-message' = 'nothing') {
  const clock = new FakeClock()
  const local = new FakeLocal()
  const [link, peer] = FakeLink.pair()
  const received: Buffer[] = []
  peer.receiver = { ...peer.receiver, linkBytes: (data) => void received.push(data) }
  const overs: SessionEnd[] = []
  const pump = new PlainPump(
    link,
    { sendAfter, firstMessageWithinMs: 10_000 },
    { clock, local, onOver: (end) => void overs.push(end) },
  )
  local.events = pump
  pump.start()
  return { clock, local, link, peer, pump, received, overs }
}

test('what waits for the message before to leave goes out as one', () => {
  const { pump, link, received } = started()
  for (const text of ['a', 'b', 'c', 'd']) pump.localBytes(Buffer.from(text))
  expect(link.sent.length).toBe(1)
  while (link.deliver()) continue

  expect(received.map(String)).toEqual(['a', 'bcd'])
})

test('no message is longer than 65,535 bytes, as the newer old relay closes on longer ones', () => {
  const { pump, link, received } = started()
  pump.localBytes(Buffer.alloc(65_536, 1))
  pump.localBytes(Buffer.alloc(200_000, 2))
  while (link.deliver()) continue

  expect(received.map((m) => m.length)).toEqual([65_535, 65_535, 65_535, 65_535, 3_396])
})

test('nothing is sent before the first message of the host, and the local side is stopped at 1 MiB', () => {
  const { pump, link, peer, local } = started('first-message')
  for (let i = 0; i < 20; i++) pump.localBytes(Buffer.alloc(60_000))
  expect(link.sent).toEqual([])
  expect(local.isPaused).toBe(true)

  peer.sendBytes(Buffer.alloc(0))
  peer.deliver()
  while (link.deliver()) continue
  expect(link.sent.reduce((sum, m) => sum + m.length, 0)).toBe(1_200_000)
  expect(local.isPaused).toBe(false)
})

test('a host that says nothing is given up, and the local connection is reset', async () => {
  const { clock, local, overs } = started('first-message')
  await clock.advance(10_000)

  expect(overs).toMatchObject([{ isClean: false, error: { code: 'HOST_SILENT' } }])
  expect(local.isReset).toBe(true)
  expect(clock.pending).toBe(0)
})

test('the end of the local side closes the link with 1000 when everything is sent', () => {
  const { pump, link, local, received, overs } = started()
  pump.localBytes(Buffer.from('one'))
  pump.localBytes(Buffer.from('two'))
  pump.localEnded()
  expect(link.closedWith).toBeUndefined()
  while (link.deliver()) continue
  while (local.take()) continue

  expect(Buffer.concat(received).toString()).toBe('onetwo')
  expect(link.closedWith).toMatchObject({ code: 1000 })
  expect(overs).toMatchObject([{ isClean: true }])
})

test.each([
  [1000, true, undefined],
  [4004, true, undefined],
  [1006, false, 'LINK_LOST'],
  [4001, false, 'TOKEN_EXPIRED'],
])('a link that ends with %d: what came is written, then the local side is ended', (code, isClean, error) => {
  const { pump, peer, link, local, overs } = started()
  peer.sendBytes(Buffer.from('last words'))
  peer.deliver()
  link.cut(code)
  expect(overs).toEqual([])
  while (local.take()) continue
  pump.localEnded()

  expect(local.taken.map(String)).toEqual(['last words'])
  expect(local.isReset).toBe(false)
  expect(overs).toMatchObject([{ isClean, error: error === undefined ? undefined : { code: error } }])
})

test('a local program that does not end after our end is reset after 10 s', async () => {
  const { clock, link, local, overs } = started()
  link.cut(1000)
  while (local.take()) continue
  await clock.advance(10_000)

  expect(local.isReset).toBe(true)
  expect(overs.length).toBe(1)
})

test('a local side that takes nothing stops the link, and starts it again', () => {
  const { peer, link, local } = started()
  for (let i = 0; i < 20; i++) peer.sendBytes(Buffer.alloc(60_000))
  while (peer.deliver()) continue
  expect(link.isPaused).toBe(true)
  while (local.take()) continue

  expect(link.isPaused).toBe(false)
})

test('a local side that breaks closes the link', () => {
  const { pump, link, overs } = started()
  pump.localBroke(new AppError('LOCAL_BROKE', 'it broke'))

  expect(link.closedWith).toMatchObject({ code: 1000 })
  expect(overs).toMatchObject([{ by: 'local', error: { code: 'LOCAL_BROKE' } }])
})

test('whatever the chunks and pauses, what goes in comes out, in both directions', () => {
  const step = fc.oneof(
    fc.record({ up: fc.nat(70_000) }),
    fc.record({ down: fc.nat(70_000) }),
    fc.record({ deliver: fc.nat(5) }),
    fc.record({ take: fc.nat(5) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, isGated) => {
      const { pump, peer, link, local, received, overs } = started(isGated ? 'first-message' : 'nothing')
      const up: Buffer[] = []
      const down: Buffer[] = []
      for (const one of steps) {
        if ('up' in one && !local.isPaused) {
          up.push(Buffer.alloc(one.up, up.length))
          pump.localBytes(Buffer.alloc(one.up, up.length - 1))
        } else if ('down' in one) {
          down.push(Buffer.alloc(one.down, down.length))
          peer.sendBytes(Buffer.alloc(one.down, down.length - 1))
        } else if ('deliver' in one) {
          for (let i = 0; i < one.deliver; i++) {
            link.deliver()
            if (!link.isPaused) peer.deliver()
          }
        } else if ('take' in one) {
          for (let i = 0; i < one.take; i++) local.take()
        }
      }
      peer.sendBytes(Buffer.from('!'))
      down.push(Buffer.from('!'))
      for (let idle = 0; idle < 2; idle += 1) {
        if (local.take() || (!link.isPaused && peer.deliver())) idle = 0
      }
      pump.localEnded()
      while (link.deliver() || local.take()) continue

      expect(Buffer.concat(received).equals(Buffer.concat(up))).toBe(true)
      expect(Buffer.concat(local.taken).equals(Buffer.concat(down))).toBe(true)
      expect(overs).toMatchObject([{ isClean: true }])
    }),
    { numRuns: 60, seed: 5 },
  )
})
