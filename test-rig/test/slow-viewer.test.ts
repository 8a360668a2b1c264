import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { measured } from '../src/rig/measured.ts'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import type { TopicPeer } from '../src/rig/topic-peer.ts'
import { until } from '../src/rig/until.ts'

const viewers = 20
const messageBytes = 16_384

describe('one stalled viewer among twenty', () => {
  test('costs the other nineteen neither a message nor time', async () => {
    await using relay = await RelayUnderTest.start()
    await using host = await relay.join('slow-video', { scopes: ['write'] })
    const peers = await Promise.all(
      Array.from({ length: viewers }, () => relay.join('slow-video', { scopes: ['read'] })),
    )
    const others = peers.slice(1)

    const before = await publish(host, { count: 200, from: 0 })
    peers[0]?.socket.pause()
    // 1600 messages of 16 KiB are 26 MB: far more than the kernel and the relay keep for one viewer.
    const during = await publish(host, { count: 1600, from: before.next })
    await until(
      'all messages at the others',
      () => others.every((peer) => peer.received.length === during.next),
      { withinMs: 60_000 },
    )

    for (const peer of others) {
      expect(peer.received.map(({ data }) => data.readUInt32BE(0))).toEqual(
        Array.from({ length: during.next }, (_, index) => index),
      )
    }
    expect(await counter(relay, 'relay_dropped_messages_total')).toBeGreaterThan(0)
    const calm = others.flatMap((peer) => delays(peer, before.sentAtMs, 0))
    const beside = others.flatMap((peer) => delays(peer, during.sentAtMs, before.next))
    for (const share of [0.5, 0.99]) {
      const [calmMs, besideMs] = [quantile(calm, share), quantile(beside, share)]
      measured(
        `delay of 19 viewers, quantile ${share}`,
        `${calmMs.toFixed(2)} ms, beside a stalled one ${besideMs.toFixed(2)} ms`,
      )
      expect(besideMs).toBeLessThan(calmMs * 3 + (share === 0.5 ? 10 : 50))
    }
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()))
  })

  test('loses whole messages, each of which is counted', async () => {
    await using relay = await RelayUnderTest.start()
    await using host = await relay.join('lost-video', { scopes: ['write'] })
    await using stalled = await relay.join('lost-video', { scopes: ['read'] })
    stalled.socket.pause()
    const sent = await publish(host, { count: 600, from: 0, bytes: 65_536, everyMs: 4 })
    await until('the end of what is published', async () => {
      return (await counter(relay, 'relay_offered_messages_total')) === sent.next
    })
    stalled.socket.resume()
    await until('everything that was not dropped', async () => {
      const dropped = await counter(relay, 'relay_dropped_messages_total')
      return stalled.received.length + dropped === sent.next
    })

    const numbers = stalled.received.map(({ data }) => data.readUInt32BE(0))
    expect(numbers.length).toBeLessThan(sent.next)
    expect(stalled.closeCode).toBeUndefined()
    expect(stalled.received.every(({ data }) => data.length === 65_536)).toBe(true)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  })
})

/** The sum of a counter of the relay over all its labels. */
async function counter(relay: RelayUnderTest, name: string): Promise<number> {
  const text = await (await fetch(relay.metrics)).text()
  const values = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

interface Publishing {
  readonly count: number
  /** Number of the first message. */
  readonly from: number
  readonly bytes?: number
  readonly everyMs?: number
}

interface Published {
  readonly next: number
  readonly sentAtMs: readonly number[]
}

/** Sends numbered messages at a steady pace. */
async function publish(
  host: TopicPeer,
  { count, from, bytes = messageBytes, everyMs = 10 }: Publishing,
): Promise<Published> {
  const sentAtMs: number[] = []
  for (let index = 0; index < count; index++) {
    const message = Buffer.alloc(bytes)
    message.writeUInt32BE(from + index, 0)
    sentAtMs.push(performance.now())
    host.send(message)
    await sleep(everyMs)
  }
  return { next: from + count, sentAtMs }
}

function delays(peer: TopicPeer, sentAtMs: readonly number[], from: number): number[] {
  return peer.received
    .slice(from, from + sentAtMs.length)
    .map(({ atMs }, index) => atMs - (sentAtMs[index] ?? Number.NaN))
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN
}
