import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UploadCutter } from './upload-cutter.ts'

/** Packets as in the transcripts of the old host: a PID, no frame that begins or ends. */
function packets(count: number, from = 0): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => {
      const k = from + i
      return Buffer.from(
        Array.from({ length: 188 }, (__, j) => [0x47, 1, 0, 0x10 | (k & 15)][j] ?? (k + j) & 255),
      )
    }),
  )
}

/** One video frame in PES without a length; a last packet that is not full says that the frame ends. */
function frame(packetCount: number, { isPadded = true } = {}): Buffer {
  const bytes = packets(packetCount)
  bytes[1] = 0x41
  Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0]).copy(bytes, 4)
  if (isPadded) {
    const last = (packetCount - 1) * 188
    bytes[last + 3] = 0x30
    bytes[last + 4] = 20
    bytes[last + 5] = 0
  }
  return bytes
}

function collect(maxMessageBytes = 1_000_000): {
  readonly cutter: UploadCutter
  readonly messages: Buffer[]
  readonly emit: (message: Buffer) => void
} {
  const messages: Buffer[] = []
  return { cutter: new UploadCutter(maxMessageBytes), messages, emit: (message) => messages.push(message) }
}

describe('MPEG-TS', () => {
  test('is cut by frames, however it comes', () => {
    const frames = [frame(7), frame(3), frame(12), frame(5)]
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 12 }), (sizes) => {
        const { cutter, messages, emit } = collect()
        const whole = Buffer.concat(frames)
        for (let at = 0, i = 0; at < whole.length; i += 1) {
          const size = sizes[i % sizes.length] ?? 1
          cutter.push(whole.subarray(at, at + size), emit)
          at += size
        }
        cutter.end(emit)
        return (
          messages.length === 4 &&
          messages.every((message, i) => message.equals(frames[i] ?? Buffer.alloc(0)))
        )
      }),
    )
  })

  test('without any frame goes on as it comes, in whole packets', () => {
    const { cutter, messages, emit } = collect()
    for (const [count, from] of [
      [1, 0],
      [10, 1],
      [106, 11],
      [500, 117],
    ] as const) {
      cutter.push(packets(count, from), emit)
      expect(cutter.isWaiting).toBe(false)
    }
    expect(messages.map(({ length }) => length / 188)).toEqual([1, 10, 106, 500])
    expect(Buffer.concat(messages).equals(packets(617))).toBe(true)
  })

  test('beyond 1 024 000 bytes at once arrives whole', () => {
    const { cutter, messages, emit } = collect(1_048_576)
    cutter.push(packets(6_400), emit)
    cutter.pause(emit)
    expect(Buffer.concat(messages).equals(packets(6_400))).toBe(true)
    expect(messages.every(({ length }) => length % 188 === 0 && length <= 1_048_576)).toBe(true)
  })

  test('that begins in the middle of a packet is taken from the first whole one on', () => {
    const { cutter, messages, emit } = collect()
    cutter.push(frame(20).subarray(100), emit)
    cutter.end(emit)
    expect(Buffer.concat(messages).equals(frame(20).subarray(188))).toBe(true)
    expect(cutter.skippedBytes).toBe(88)
  })

  test('of a frame whose end is unknown waits, and is given out by a pause', () => {
    const { cutter, messages, emit } = collect()
    cutter.push(frame(9, { isPadded: false }), emit)
    expect(messages).toHaveLength(0)
    expect(cutter.isWaiting).toBe(true)
    cutter.pause(emit)
    expect(messages).toHaveLength(1)
    expect(cutter.isWaiting).toBe(false)
  })

  test('is not copied where a frame lies in one piece', () => {
    const { cutter, messages, emit } = collect()
    cutter.push(frame(6), emit)
    const piece = frame(30)
    cutter.push(piece, emit)
    expect(messages[1]?.buffer).toBe(piece.buffer)
  })
})

describe('an upload that is no MPEG-TS', () => {
  test('goes on as it came, in messages of bounded size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), { maxLength: 10 }),
        (chunks) => {
          const { cutter, messages, emit } = collect(1_000)
          const text = Buffer.concat([Buffer.from('no transport stream'.repeat(60)), ...chunks])
          cutter.push(text.subarray(0, 1_100), emit)
          for (let at = 1_100; at < text.length; at += 700) cutter.push(text.subarray(at, at + 700), emit)
          cutter.end(emit)
          return Buffer.concat(messages).equals(text) && messages.every(({ length }) => length <= 1_000)
        },
      ),
    )
  })

  test('of a few bytes goes on after a pause', () => {
    const { cutter, messages, emit } = collect()
    cutter.push(Buffer.from('hello'), emit)
    expect(cutter.isWaiting).toBe(true)
    cutter.pause(emit)
    cutter.push(Buffer.from('again'), emit)
    expect(messages.map(String)).toEqual(['hello', 'again'])
  })
})
