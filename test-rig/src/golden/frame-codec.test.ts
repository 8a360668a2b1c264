import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, FrameParser, OPCODE } from './frame-codec.ts'

const frame = fc.record({
  opcode: fc.constantFrom(...Object.values(OPCODE)),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 130 }),
    fc.integer({ min: 65_530, max: 65_540 }).map((length) => new Uint8Array(length).fill(7)),
  ),
  isFinal: fc.boolean(),
  masked: fc.boolean(),
})

function show({
  payload,
  opcode,
  isFinal,
  masked,
  reserved,
}: Omit<Frame, 'payload'> & { payload: Uint8Array }) {
  return { opcode, isFinal, masked, reserved, hex: Buffer.from(payload).toString('hex') }
}

test('frames come back as they were, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 4 }),
      fc.integer({ min: 1, max: 40_000 }).map((bytes) => (bytes % 2 === 0 ? bytes : 1 + (bytes % 600))),
      (frames, pieceBytes) => {
        const wire = Buffer.concat(frames.map((each) => encodeFrame(each)))
        const parser = new FrameParser()
        const parsed = []
        for (let from = 0; from < wire.length; from += pieceBytes) {
          parsed.push(...parser.push(wire.subarray(from, from + pieceBytes)))
        }

        expect(parsed.map(show)).toStrictEqual(frames.map((each) => show({ ...each, reserved: 0 })))
      },
    ),
    { numRuns: 20 },
  )
})

test.for([
  ['a text that is not masked', { opcode: OPCODE.text, payload: Buffer.from('A'), masked: false }, '810141'],
  ['a piece', { opcode: OPCODE.binary, payload: Buffer.from('A'), masked: false, isFinal: false }, '020141'],
  [
    '126 bytes',
    { opcode: OPCODE.text, payload: Buffer.alloc(126), masked: false },
    `817e007e${'00'.repeat(126)}`,
  ],
] as const)('%s has the bytes of RFC 6455', ([_name, toSend, hex]) => {
  expect(encodeFrame(toSend).toString('hex')).toBe(hex)
})

test('reserved bits and unknown opcodes are shown, not hidden', () => {
  const [first] = new FrameParser().push(Buffer.from('f30141', 'hex'))

  expect(first).toMatchObject({ reserved: 7, opcode: 3, isFinal: true, masked: false })
})

test('unmasking leaves the received bytes as they were', () => {
  const wire = encodeFrame({ opcode: OPCODE.text, payload: Buffer.from('hello'), masked: true })
  const before = wire.toString('hex')

  new FrameParser().push(wire)

  expect(wire.toString('hex')).toBe(before)
})

test('a length nobody can mean is refused', () => {
  expect(() => new FrameParser().push(Buffer.from('827f0000ffffffffffff', 'hex'))).toThrow(
    'longer than any peer',
  )
})
