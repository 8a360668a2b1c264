import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLetGo } from '../../test/is-let-go.ts'
import { framePackets, type MadeUpFrame, soundPacket, tablePacket } from '../../test/made-up-stream.ts'
import { beginsKeyFrame, isTransportStream, TsCutter } from './ts-cutter.ts'

const frame: fc.Arbitrary<MadeUpFrame> = fc.record({
  bytes: fc.integer({ min: 0, max: 1_200 }),
  isKey: fc.boolean(),
  tellsLength: fc.boolean(),
})
const frames = fc.array(frame, { minLength: 1, maxLength: 12 })
const limit = { maxMessageBytes: 1_048_576 }

function chunksOf(data: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((place) => place % (data.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((start, index) => data.subarray(start, places[index] ?? data.length))
}

function cut(chunks: readonly Buffer[], { flushAtEnd = true, maxMessageBytes = limit.maxMessageBytes } = {}) {
  const cutter = new TsCutter({ maxMessageBytes })
  const messages: Buffer[] = []
  const emit = (message: Buffer): void => void messages.push(message)
  for (const chunk of chunks) cutter.push(chunk, emit)
  if (flushAtEnd) cutter.flush(emit)
  return { messages, cutter }
}

const cuts = fc.array(fc.nat({ max: 20_000 }), { maxLength: 30 })

describe('a stream of whole packets', () => {
  test('however it is chunked, the messages are the same', () => {
    fc.assert(
      fc.property(frames, cuts, (made, places) => {
        const stream = Buffer.concat(made.map(framePackets))
        expect(cut(chunksOf(stream, places)).messages).toEqual(cut([stream]).messages)
      }),
    )
  })

  test('the messages joined are the input, each is whole packets', () => {
    fc.assert(
      fc.property(frames, cuts, (made, places) => {
        const stream = Buffer.concat(made.map(framePackets))
        const { messages, cutter } = cut(chunksOf(stream, places))
        expect(Buffer.concat(messages).equals(stream)).toBe(true)
        expect(messages.every((message) => isTransportStream(message))).toBe(true)
        expect(cutter.counters.skippedBytes).toBe(0)
      }),
    )
  })

  test('there is one message for each frame, tables before a frame are with it', () => {
    fc.assert(
      fc.property(frames, cuts, (made, places) => {
        const expected = made.map(framePackets)
        const { messages, cutter } = cut(chunksOf(Buffer.concat(expected), places))
        expect(messages).toEqual(expected)
        expect(cutter.counters.frames).toBe(made.length)
        expect(cutter.counters.keyFrames).toBe(made.filter(({ isKey }) => isKey).length)
      }),
    )
  })

  test('a frame that tells its length is given out with its last byte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_000 }), (bytes) => {
        const stream = framePackets({ bytes, isKey: true, tellsLength: true })
        const { messages, cutter } = cut(
          [Buffer.concat([stream, framePackets({ bytes, isKey: true, tellsLength: true })])],
          { flushAtEnd: false },
        )
        expect(messages).toHaveLength(2)
        expect(cutter.isHolding).toBe(false)
      }),
    )
  })

  test('a frame without a length is given out with its last byte when stuffing ends it', () => {
    const stream = Buffer.concat([
      framePackets({ bytes: 400, isKey: true, tellsLength: false }),
      framePackets({ bytes: 401, isKey: false, tellsLength: false }),
    ])

    const { messages, cutter } = cut([stream], { flushAtEnd: false })

    expect(messages).toHaveLength(2)
    expect(cutter.awaitsUnknownEnd).toBe(false)
  })

  test('a frame that fills its last packet and tells no length waits for a flush, and says so', () => {
    // 162 bytes and the header fill the first packet.
    const stream = Buffer.concat([
      tablePacket(0),
      framePackets({ bytes: 162 + 184, isKey: false, tellsLength: false }),
    ])
    const cutter = new TsCutter(limit)
    const messages: Buffer[] = []

    cutter.push(stream, (message) => void messages.push(message))
    expect(messages).toHaveLength(0)
    expect(cutter.awaitsUnknownEnd).toBe(true)
    cutter.flush((message) => void messages.push(message))

    expect(messages).toEqual([stream])
    expect(cutter.awaitsUnknownEnd).toBe(false)
  })

  test('a frame of unknown end ends where tables begin', () => {
    const first = framePackets({ bytes: 162, isKey: false, tellsLength: false })
    const second = framePackets({ bytes: 50, isKey: true, tellsLength: false })

    expect(cut([Buffer.concat([first, second])]).messages).toEqual([first, second])
  })

  test('no message is longer than the limit', () => {
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 2_000 }), cuts, (made, maxMessageBytes, places) => {
        const stream = Buffer.concat(made.map(framePackets))
        const { messages } = cut(chunksOf(stream, places), { maxMessageBytes })
        const allowed = Math.max(188, maxMessageBytes)
        expect(messages.every((message) => message.length <= allowed && message.length % 188 === 0)).toBe(
          true,
        )
        expect(Buffer.concat(messages).equals(stream)).toBe(true)
      }),
    )
  })

  test('a message that lies in one chunk is not copied', () => {
    const chunk = framePackets({ bytes: 500, isKey: true, tellsLength: true })

    const [message] = cut([chunk]).messages

    expect(message?.buffer).toBe(chunk.buffer)
  })
})

describe('garbage', () => {
  const noSync = fc
    .uint8Array({ maxLength: 600 })
    .map((bytes) => Buffer.from(bytes.map((b) => (b === 0x47 ? 0 : b))))

  test('before the stream is left out and counted', () => {
    fc.assert(
      fc.property(noSync, frames, cuts, (garbage, made, places) => {
        const stream = Buffer.concat(made.map(framePackets))
        const { messages, cutter } = cut(chunksOf(Buffer.concat([garbage, stream]), places))
        expect(Buffer.concat(messages).equals(stream)).toBe(true)
        expect(cutter.counters.skippedBytes).toBe(garbage.length)
      }),
    )
  })

  test('that holds sync bytes is told from packets by the next packet', () => {
    const stream = Buffer.concat([
      framePackets({ bytes: 100, isKey: true, tellsLength: true }),
      framePackets({ bytes: 100, isKey: true, tellsLength: true }),
    ])
    const garbage = Buffer.alloc(100)
    garbage[0] = 0x47
    garbage[50] = 0x47

    const { messages, cutter } = cut([Buffer.concat([garbage, stream])])

    expect(Buffer.concat(messages).equals(stream)).toBe(true)
    expect(cutter.counters.skippedBytes).toBe(100)
  })

  test('within the stream is left out, and the frames after it come whole', () => {
    fc.assert(
      fc.property(noSync, frames, frames, cuts, (garbage, before, after, places) => {
        fc.pre(garbage.length > 0)
        const tail = Buffer.concat(after.map(framePackets))
        const head = Buffer.concat(before.map(framePackets))
        // The place is found by two packets in a row.
        fc.pre(head.length > 188)
        const { messages, cutter } = cut(chunksOf(Buffer.concat([head, garbage, tail]), places))
        expect(Buffer.concat(messages).equals(Buffer.concat([head, tail]))).toBe(true)
        expect(cutter.counters.skippedBytes).toBe(garbage.length)
      }),
    )
  })

  test('of any kind ends neither in an exception nor in more than two packets held back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), cuts, (bytes, places) => {
        const { messages, cutter } = cut(chunksOf(Buffer.from(bytes), places))
        const out = messages.reduce((sum, message) => sum + message.length, 0)
        expect(bytes.length - out - cutter.counters.skippedBytes).toBeLessThanOrEqual(2 * 188)
        expect(messages.every((message) => isTransportStream(message))).toBe(true)
      }),
    )
  })

  test('in the headers of packets ends in no exception', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 187, maxLength: 187 }), { maxLength: 20 }),
        (bodies) => {
          const stream = Buffer.concat(bodies.flatMap((body) => [Buffer.of(0x47), Buffer.from(body)]))
          const { messages } = cut([stream])
          expect(Buffer.concat(messages).equals(stream)).toBe(true)
        },
      ),
    )
  })
})

test('sound that comes after a frame is held between frames, within one it is not', () => {
  const cutter = new TsCutter(limit)
  const messages: Buffer[] = []
  const emit = (message: Buffer): void => void messages.push(message)
  const picture = framePackets({ bytes: 400, isKey: false, tellsLength: true })

  cutter.push(picture, emit)
  expect(cutter.holdsBetweenFrames).toBe(false)
  cutter.push(soundPacket(100), emit)
  expect(cutter.holdsBetweenFrames).toBe(true)
  cutter.push(picture.subarray(0, 188), emit)
  expect(cutter.holdsBetweenFrames).toBe(false)
  cutter.push(picture.subarray(188), emit)

  expect(messages).toEqual([picture, Buffer.concat([soundPacket(100), picture])])
  expect(cutter.holdsBetweenFrames).toBe(false)
})

test('a message that holds the first packet of a key frame is one to begin with, another is not', () => {
  expect(beginsKeyFrame(framePackets({ bytes: 10, isKey: true, tellsLength: true }))).toBe(true)
  expect(beginsKeyFrame(framePackets({ bytes: 10, isKey: false, tellsLength: true }))).toBe(false)
  expect(beginsKeyFrame(Buffer.from('{"a":1}'))).toBe(false)
})

test('sound makes no message one to begin with', () => {
  const sound = soundPacket(100)
  const inner = framePackets({ bytes: 10, isKey: false, tellsLength: true })
  const key = framePackets({ bytes: 10, isKey: true, tellsLength: true })

  expect(beginsKeyFrame(sound)).toBe(false)
  expect(beginsKeyFrame(Buffer.concat([sound, inner]))).toBe(false)
  expect(beginsKeyFrame(Buffer.concat([sound, key]))).toBe(true)
})

test('a unit start whose payload is no PES packet is nothing to begin with', () => {
  const key = framePackets({ bytes: 400, isKey: true, tellsLength: true }).subarray(3 * 188)
  const payload = key.indexOf(Buffer.of(0, 0, 1, 0xe0))
  key[payload + 2] = 2

  expect(beginsKeyFrame(key)).toBe(false)
})

test('a chunk that ends with a packet is held by nothing once its frame is out', async () => {
  const cutter = new TsCutter(limit)
  const push = (): WeakRef<object> => {
    const packets = framePackets({ bytes: 500, isKey: true, tellsLength: true })
    const chunk = Buffer.from(new Uint8Array(packets).buffer)
    let count = 0
    cutter.push(chunk, () => {
      count += 1
    })
    expect(count).toBe(1)
    return new WeakRef(chunk.buffer)
  }

  expect(await isLetGo(push())).toBe(true)
  expect(cutter.isHolding).toBe(false)
})
