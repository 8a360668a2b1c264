import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { measured } from '../src/rig/measured.ts'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import type { TopicPeer } from '../src/rig/topic-peer.ts'
import { until } from '../src/rig/until.ts'

const viewers = 20
const messageBytes = 16_384
const everyMs = 10

describe('one stalled viewer among twenty', () => {
  test('costs the other nineteen neither a message nor time', async () => {
    await using relay = await RelayUnderTest.start()
    await using host = await relay.join('slow-video', { scopes: ['write'] })
    const peers = await Promise.all(
      Array.from({ length: viewers }, () => relay.join('slow-video', { scopes: ['read'] })),
    )
    const stalled = peers[0] as TopicPeer
    const others = peers.slice(1)

    const before = await publish(host, 200, 0)
    stalled.socket.pause()
    // 1600 messages of 16 KiB are 26 MB: far more than the kernel and the relay keep for one viewer.
    const during = await publish(host, 1600, before.next)
    await until(
      'all messages at the others',
      () => others.every((peer) => peer.received.length === during.next),
      {
        withinMs: 60_000,
      },
    )

    for (const peer of others) {
      expect(peer.received.map(({ data }) => data.readUInt32BE(0))).toEqual(
        Array.from({ length: during.next }, (_, index) => index),
      )
    }
    const calmMs = median(others.flatMap((peer) => delays(peer, before.sentAtMs, 0)))
    const stalledMs = median(others.flatMap((peer) => delays(peer, during.sentAtMs, before.next)))
    measured(
      'median delay',
      `${calmMs.toFixed(2)} ms before, ${stalledMs.toFixed(2)} ms beside a stalled viewer`,
    )
    expect(stalledMs).toBeLessThan(calmMs * 3 + 10)
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()))
  })

  test('is counted, and its losses are whole messages', async () => {
    await using relay = await RelayUnderTest.start({ RELAY_METRICS_PORT: '0' })
    await using host = await relay.join('lost-video', { scopes: ['write'] })
    await using stalled = await relay.join('lost-video', { scopes: ['read'] })
    stalled.socket.pause()
    const sent = await publish(host, 1600, 0)
    stalled.socket.resume()
    await sleep(500)
    const after = await publish(host, 1, sent.next)
    await until('an end: the newest message, or the relay closed it', () => {
      const last = stalled.received.at(-1)?.data.readUInt32BE(0)
      return last === after.next - 1 || stalled.closeCode !== undefined
    })

    const numbers = stalled.received.map(({ data }) => data.readUInt32BE(0))
    expect(stalled.received.every(({ data }) => data.length === messageBytes)).toBe(true)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers.length).toBeLessThan(after.next)
  })
})

interface Published {
  readonly next: number
  readonly sentAtMs: readonly number[]
}

/** Sends numbered messages at a steady pace. */
async function publish(host: TopicPeer, count: number, from: number): Promise<Published> {
  const sentAtMs: number[] = []
  for (let index = 0; index < count; index++) {
    const message = Buffer.alloc(messageBytes)
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

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
