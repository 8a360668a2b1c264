import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BinaryFrames } from './binary-frames.ts'

interface Frame {
  readonly opcode: number
  readonly isFinal: boolean
  readonly payload: Buffer
  /** Undefined: not masked. */
  readonly key?: Buffer | undefined
  readonly firstBits?: number
}

function encode({ opcode, isFinal, payload, key, firstBits = 0 }: Frame): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = (isFinal ? 0x80 : 0) | firstBits | opcode
  head[1] = (key === undefined ? 0 : 0x80) | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  if (key === undefined) return Buffer.concat([head, payload])
  return Buffer.concat([head, key, payload.map((byte, at) => byte ^ (key[at % 4] ?? 0))])
}

/** Cuts `bytes` at these places, each piece in memory of its own at an odd place. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  )
  return edges.slice(1).map((to, index) => {
    const piece = bytes.subarray(edges[index], to)
    const home = Buffer.alloc(piece.length + 3)
    piece.copy(home, index % 4)
    return home.subarray(index % 4, (index % 4) + piece.length)
  })
}

function read(
  chunks: readonly Buffer[],
  { isMasked = false, maxFrameBytes = 1_000_000 }: { isMasked?: boolean; maxFrameBytes?: number } = {},
): { readonly bytes: Buffer; readonly other: Buffer; readonly faults: number } {
  const [bytes, other]: [Buffer[], Buffer[]] = [[], []]
  let faults = 0
  const frames = new BinaryFrames({
    isMasked,
    maxFrameBytes,
    onBytes: (data) => bytes.push(data),
    onOther: (data) => other.push(data),
    onFault: () => (faults += 1),
  })
  for (const chunk of chunks) frames.push(chunk)
  return { bytes: Buffer.concat(bytes), other: Buffer.concat(other), faults }
}

const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.integer({ min: 60_000, max: 70_000 }).map((length) => Buffer.alloc(length, 'a stream of bytes')),
)
/** One binary message in frames, with control frames between them. */
const messages = fc
  .array(fc.record({ payload: payloads, ping: fc.option(fc.uint8Array({ maxLength: 20 })) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) =>
    parts.flatMap(({ payload, ping }, index) => {
      const isFinal = index === parts.length - 1
      const frame = { opcode: index === 0 ? 2 : 0, isFinal, payload: Buffer.from(payload) }
      return ping === null ? [frame] : [frame, { opcode: 9, isFinal: true, payload: Buffer.from(ping) }]
    }),
  )
/** A text message in frames. */
const texts = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 3 }).map((parts) =>
  parts.map((payload, index) => ({
    opcode: index === 0 ? 1 : 0,
    isFinal: index === parts.length - 1,
    payload: Buffer.from(payload),
  })),
)
const streams = fc.array(fc.oneof(messages, texts), { maxLength: 5 }).map((all) => all.flat())
const keys = fc.uint8Array({ minLength: 4, maxLength: 4 })

test('gives the bytes of binary messages as they were, and every other frame as it came, however it is cut', () => {
  fc.assert(
    fc.property(streams, fc.option(keys), fc.array(fc.nat(), { maxLength: 12 }), (stream, rawKey, places) => {
      const key = rawKey === null ? undefined : Buffer.from(rawKey)
      const frames = stream.map((frame) => ({ ...frame, key }))
      let isText = false
      const ours = frames.filter(({ opcode, isFinal }) => {
        const isOfBinary = opcode === 2 || (opcode === 0 && !isText)
        if (opcode === 1) isText = !isFinal
        else if (opcode === 0 && isText) isText = !isFinal
        return isOfBinary
      })
      const whole = Buffer.concat(frames.map(encode))
      const { bytes, other, faults } = read(cut(whole, places), { isMasked: key !== undefined })
      expect(bytes.equals(Buffer.concat(ours.map(({ payload }) => payload)))).toBe(true)
      expect(other.equals(Buffer.concat(frames.filter((frame) => !ours.includes(frame)).map(encode)))).toBe(
        true,
      )
      expect(faults).toBe(0)
    }),
    { numRuns: 200 },
  )
})

test('tells of a frame without bytes, which may be the end of a message', () => {
  const pieces: number[] = []
  const frames = new BinaryFrames({
    isMasked: false,
    maxFrameBytes: 10,
    onBytes: ({ length }) => pieces.push(length),
    onOther: () => {},
    onFault: () => {},
  })
  frames.push(encode({ opcode: 2, isFinal: true, payload: Buffer.alloc(0) }))
  frames.push(encode({ opcode: 2, isFinal: false, payload: Buffer.from('abc') }))
  frames.push(encode({ opcode: 0, isFinal: true, payload: Buffer.alloc(0) }))
  expect(pieces).toEqual([0, 3, 0])
})

test('gives nothing that comes behind a close frame', () => {
  const close = encode({ opcode: 8, isFinal: true, payload: Buffer.from([3, 232]) })
  const late = encode({ opcode: 2, isFinal: true, payload: Buffer.from('late') })
  expect(read([Buffer.concat([close, late])])).toEqual({ bytes: Buffer.alloc(0), other: close, faults: 0 })
})

test.for([
  ['is not masked where it must be', { isMasked: true }, {}],
  ['uses an extension', {}, { firstBits: 0x40 }],
  ['is longer than allowed', { maxFrameBytes: 3 }, {}],
] as const)('leaves a frame that %s, and all behind it, to the library', ([, options, change]) => {
  const bad = encode({ opcode: 2, isFinal: true, payload: Buffer.from('data'), ...change })
  const good = encode({ opcode: 2, isFinal: true, payload: Buffer.from('x'), key: Buffer.alloc(4) })
  const all = Buffer.concat([bad, good])
  expect(read([all.subarray(0, 1), all.subarray(1)], options)).toEqual({
    bytes: Buffer.alloc(0),
    other: all,
    faults: 0,
  })
})

test.for([1, 2])(
  'finds fault with a message (opcode %i) within a binary one, and gives no more',
  (opcode) => {
    const begun = encode({ opcode: 2, isFinal: false, payload: Buffer.from('begun') })
    const another = encode({ opcode, isFinal: true, payload: Buffer.from('another') })
    expect(read([begun, another, begun])).toEqual({
      bytes: Buffer.from('begun'),
      other: Buffer.alloc(0),
      faults: 1,
    })
  },
)

test('leaves a binary message within a text to the library, which knows the fault', () => {
  const begun = encode({ opcode: 1, isFinal: false, payload: Buffer.from('begun') })
  const another = encode({ opcode: 2, isFinal: true, payload: Buffer.from('another') })
  expect(read([begun, another])).toEqual({
    bytes: Buffer.alloc(0),
    other: Buffer.concat([begun, another]),
    faults: 0,
  })
})
