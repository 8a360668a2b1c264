import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BINARY, TEXT, frameHeaderLength } from '@relay/common/server/websocket/frame-header'
import { Batch, type Message } from './batch.ts'

/** Reads unmasked, final frames, as RFC 6455 5.2 says; independent of how they were written. */
function readFrames(bytes: Buffer): { opcode: number; payload: Buffer }[] {
  const frames: { opcode: number; payload: Buffer }[] = []
  let at = 0
  while (at < bytes.length) {
    const first = bytes.readUInt8(at)
    expect(first & 0xf0).toBe(0x80)
    let length = bytes.readUInt8(at + 1)
    expect(length & 0x80).toBe(0)
    at += 2
    if (length === 126) {
      length = bytes.readUInt16BE(at)
      at += 2
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at))
      at += 8
    }
    frames.push({ opcode: first & 0x0f, payload: bytes.subarray(at, at + length) })
    at += length
  }
  expect(at).toBe(bytes.length)
  return frames
}

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(125, 126, 127, 65_535, 65_536, 65_537),
)
const message = fc
  .record({
    opcode: fc.constantFrom<typeof TEXT | typeof BINARY>(TEXT, BINARY),
    size: sizes,
    fill: fc.nat(255),
  })
  .map(
    ({ opcode, size, fill }): Message => ({ sender: undefined, opcode, payload: Buffer.alloc(size, fill) }),
  )

describe('a batch', () => {
  test('holds each message as one frame, in order, with its opcode', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), (messages) => {
        const frames = readFrames(new Batch(messages).bytes)
        expect(frames).toHaveLength(messages.length)
        for (const [index, { opcode, payload }] of messages.entries()) {
          expect(frames[index]?.opcode).toBe(opcode)
          expect(frames[index]?.payload.equals(payload)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('knows the payload of any run of its frames', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), (messages) => {
        const batch = new Batch(messages)
        for (let from = 0; from < messages.length; from++) {
          for (let to = from + 1; to <= messages.length; to++) {
            const expected = messages.slice(from, to).reduce((sum, { payload }) => sum + payload.length, 0)
            expect(batch.payloadBytesOf(from, to)).toBe(expected)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('says who sent what, and whether it was one alone', () => {
    const [a, b] = [{}, {}]
    const of = (...senders: object[]): Batch =>
      new Batch(senders.map((sender) => ({ sender, opcode: TEXT, payload: Buffer.from('x') })))

    expect(of(a, a)).toMatchObject({ soleSender: a, isMixed: false, senders: [a, a] })
    expect(of(a, b)).toMatchObject({ soleSender: undefined, isMixed: true, senders: [a, b] })
  })

  test('does not look at a payload again once it is built', () => {
    const payload = Buffer.from('before')
    const batch = new Batch([{ sender: undefined, opcode: BINARY, payload }])

    payload.fill('x')

    expect(batch.bytes.toString('latin1')).toContain('before')
  })

  test.each([
    [0, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
  ])('a payload of %i bytes has a header of %i', (payload, header) => {
    expect(frameHeaderLength(payload)).toBe(header)
  })
})
