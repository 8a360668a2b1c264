import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isContinuous, readDecodeTimeMs } from './decode-time.ts'
import { packetsOf } from './ts-builder.ts'
import { tsPacketBytes } from './ts-packets.ts'

/** The five bytes of a time, written as in ISO/IEC 13818-1 2.4.3.6. */
function timeBytes(mark: number, ticks: bigint): number[] {
  const bits = (from: bigint, count: bigint): number => Number((ticks >> from) & ((1n << count) - 1n))
  const [top, middle, low] = [bits(30n, 3n), bits(15n, 15n), bits(0n, 15n)]
  return [
    (mark << 4) | (top << 1) | 1,
    middle >> 7,
    ((middle & 0x7f) << 1) | 1,
    low >> 7,
    ((low & 0x7f) << 1) | 1,
  ]
}

function firstPacketWith(flags: number, times: readonly number[]): Uint8Array {
  const header = [0, 0, 1, 0xe0, 0, 0, 0x80, flags, times.length, ...times, 7]
  return packetsOf(256, Uint8Array.from(header))[0] ?? new Uint8Array(0)
}

const ticks33 = fc.bigInt({ min: 0n, max: (1n << 33n) - 1n })

test('every time of 33 bits is read; where both are given, the one for decoding', () => {
  fc.assert(
    fc.property(ticks33, ticks33, (shown, decoded) => {
      const alone = firstPacketWith(0x80, timeBytes(2, shown))
      const both = firstPacketWith(0xc0, [...timeBytes(3, shown), ...timeBytes(1, decoded)])

      expect(readDecodeTimeMs(alone)).toBeCloseTo(Number(shown) / 90, 6)
      expect(readDecodeTimeMs(both)).toBeCloseTo(Number(decoded) / 90, 6)
    }),
  )
})

test('a packet without a beginning, or without a time, tells none', () => {
  const [, second] = packetsOf(256, new Uint8Array(400))

  expect(readDecodeTimeMs(firstPacketWith(0, []))).toBeUndefined()
  expect(readDecodeTimeMs(second ?? new Uint8Array(0))).toBeUndefined()
  expect(readDecodeTimeMs(new Uint8Array(tsPacketBytes))).toBeUndefined()
})

test('a short pause goes on, a camera that began anew does not', () => {
  expect(isContinuous(5000, 5042)).toBe(true)
  expect(isContinuous(5000, 5000)).toBe(true)
  expect(isContinuous(5000, 12_000)).toBe(true)
  expect(isContinuous(5000, 4990)).toBe(false)
  expect(isContinuous(50_000, 1400)).toBe(false)
  expect(isContinuous(5000, 60_000)).toBe(false)
})
