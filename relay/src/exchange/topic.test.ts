import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TEXT } from '@relay/common/server/websocket/frame-header'
import type { Batch } from './batch.ts'
import { type Reader, Topic } from './topic.ts'

/** Notes the payloads that it hears; each is one character long. */
class Listener implements Reader {
  heard = ''
  deliveries = 0

  deliver(batch: Batch, from: number, to: number): void {
    this.deliveries += 1
    for (let index = from; index < to; index++)
      this.heard += String.fromCharCode(batch.bytes[batch.end(index) - 1] ?? 0)
  }
}

function say(topic: Topic, sender: object | undefined, text: string): void {
  topic.collect({ sender, opcode: TEXT, payload: Buffer.from(text) })
}

describe('a topic', () => {
  test('hands the messages of a turn to everybody but their sender, in one delivery', () => {
    const topic = new Topic()
    const [a, b, c] = [new Listener(), new Listener(), new Listener()]
    for (const reader of [a, b, c]) topic.add(reader)
    say(topic, a, '1')
    say(topic, a, '2')

    topic.flush(0)

    expect([a.heard, b.heard, c.heard]).toEqual(['', '12', '12'])
    expect(b.deliveries).toBe(1)
  })

  test('nobody hears itself, also where several speak in one turn', () => {
    const topic = new Topic()
    const [a, b, c] = [new Listener(), new Listener(), new Listener()]
    for (const reader of [a, b, c]) topic.add(reader)
    for (const [sender, text] of [
      [a, '1'],
      [b, '2'],
      [a, '3'],
      [a, '4'],
      [b, '5'],
    ] as const)
      say(topic, sender, text)

    topic.flush(0)

    expect([a.heard, b.heard, c.heard]).toEqual(['25', '134', '12345'])
  })

  test('what the relay itself says is heard by all', () => {
    const topic = new Topic()
    const [a, b] = [new Listener(), new Listener()]
    topic.add(a)
    topic.add(b)
    say(topic, undefined, 'x')

    topic.flush(0)

    expect([a.heard, b.heard]).toEqual(['x', 'x'])
  })

  test('asks to be flushed when a turn has brought a quarter of a MiB', () => {
    const topic = new Topic()

    expect(topic.collect({ sender: undefined, opcode: TEXT, payload: Buffer.alloc(262_143) })).toBe(false)
    expect(topic.collect({ sender: undefined, opcode: TEXT, payload: Buffer.alloc(1) })).toBe(true)
  })

  test('keeps nothing when nobody listens', () => {
    const topic = new Topic()
    say(topic, {}, 'x')
    topic.flush(0)
    const late = new Listener()
    topic.add(late)

    topic.flush(0)

    expect(late.heard).toBe('')
  })

  test('whoever speaks, each hears exactly what the others said, in order', () => {
    const speakers = fc.array(fc.nat(3), { maxLength: 40 })
    fc.assert(
      fc.property(speakers, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (order, flushes) => {
        const topic = new Topic()
        const readers = [0, 1, 2, 3].map(() => new Listener())
        for (const reader of readers) topic.add(reader)
        for (const [index, speaker] of order.entries()) {
          say(topic, readers[speaker], String(speaker))
          if (flushes[index] === true) topic.flush(0)
        }
        topic.flush(0)
        for (const [index, reader] of readers.entries()) {
          expect(reader.heard).toBe(order.filter((speaker) => speaker !== index).join(''))
        }
      }),
    )
  })
})
