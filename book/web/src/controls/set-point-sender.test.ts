import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { SetPointSender } from './set-point-sender.ts'

function senderOn(clock: FakeClock): {
  sender: SetPointSender
  sent: string[]
  link: { isUp: boolean }
  results: boolean[]
} {
  const sent: string[] = []
  const results: boolean[] = []
  const link = { isUp: true }
  const sender = new SetPointSender({
    gapMs: 100,
    clock,
    send: (line) => {
      if (link.isUp) sent.push(line)
      return link.isUp
    },
    onResult: (_key, wasSent) => results.push(wasSent),
  })
  return { sender, sent, link, results }
}

test('the first is sent at once, then one per gap, and the last is always sent', async () => {
  const clock = new FakeClock()
  const { sender, sent } = senderOn(clock)
  for (let i = 0; i <= 25; i += 1) {
    sender.set('target', String(i))
    await clock.advance(10)
  }
  await clock.advance(500)

  expect(sent[0]).toBe('0')
  expect(sent.at(-1)).toBe('25')
  expect(sent).toHaveLength(4)
})

test('sliders of different kinds do not displace one another', async () => {
  const clock = new FakeClock()
  const { sender, sent } = senderOn(clock)
  sender.set('a', 'a1')
  sender.set('a', 'a2')
  sender.set('b', 'b1')
  sender.set('a', 'a3')
  await clock.advance(1000)

  expect(sent).toEqual(['a1', 'b1', 'a3'])
})

test('after stop nothing that waited is sent', async () => {
  const clock = new FakeClock()
  const { sender, sent } = senderOn(clock)
  sender.set('a', 'a1')
  sender.set('a', 'a2')
  sender.clear()
  await clock.advance(1000)

  expect(sent).toEqual(['a1'])
  expect(clock.pending).toBe(0)

  sender.set('b', 'b1')
  await clock.advance(1000)
  expect(sent).toEqual(['a1', 'b1'])
})

test('while the link is down a set-point is lost, said so, and not sent later', async () => {
  const clock = new FakeClock()
  const { sender, sent, link, results } = senderOn(clock)
  link.isUp = false
  sender.set('a', 'a1')
  link.isUp = true
  await clock.advance(1000)

  expect(sent).toEqual([])
  expect(results).toEqual([false])
})
