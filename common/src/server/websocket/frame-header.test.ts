import { expect, test } from 'vitest'
import { BINARY, frameHeaderLength, TEXT, writeFrameHeader } from './frame-header.ts'

test.each([
  [{ opcode: TEXT, isFinal: true, payloadLength: 0 }, '8100'],
  [{ opcode: BINARY, isFinal: true, payloadLength: 125 }, '827d'],
  [{ opcode: BINARY, isFinal: false, payloadLength: 126 }, '027e007e'],
  [{ opcode: BINARY, isFinal: true, payloadLength: 65_535 }, '827effff'],
  [{ opcode: BINARY, isFinal: true, payloadLength: 65_536 }, '827f0000000000010000'],
  [{ opcode: 0, isFinal: true, payloadLength: 10_485_760 }, '807f0000000000a00000'],
] as const)('the frame %j begins with %s', (start, hex) => {
  const bytes = Buffer.alloc(12, 0xee)
  const end = writeFrameHeader(bytes, 1, start)
  expect(bytes.subarray(1, end).toString('hex')).toBe(hex)
  expect(end - 1).toBe(frameHeaderLength(start.payloadLength))
  expect([bytes[0], bytes[end]]).toEqual([0xee, 0xee])
})
