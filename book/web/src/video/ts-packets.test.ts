import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concatenated, packetsOf } from './ts-builder.ts'
import { hasStuffing, TsPackets, tsPacketBytes } from './ts-packets.ts'

function packetsFrom(pieces: readonly Uint8Array[]): { packets: Uint8Array[]; reader: TsPackets } {
  const packets: Uint8Array[] = []
  const reader = new TsPackets((packet) => packets.push(packet.slice()))
  for (const piece of pieces) reader.push(piece)
  return { packets, reader }
}

function cutAt(flow: Uint8Array, seeds: readonly number[]): Uint8Array[] {
  const cuts = seeds.map((seed) => seed % (flow.length + 1)).toSorted((a, b) => a - b)
  return [...cuts, flow.length].map((end, i) => flow.subarray(cuts[i - 1] ?? 0, end))
}

const packet = fc
  .uint8Array({ minLength: tsPacketBytes - 4, maxLength: tsPacketBytes - 4 })
  .map((payload) => packetsOf(256, payload)[0] ?? new Uint8Array(0))

test('packets come out whole however messages cut them', () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 6 }), fc.array(fc.nat()), (sent, seeds) => {
      const { packets, reader } = packetsFrom(cutAt(concatenated(sent), seeds))

      expect(packets).toEqual(sent)
      expect(reader.skippedBytes).toBe(0)
    }),
  )
})

test('after rubbish the packets that follow are found', () => {
  const rubbish = fc.uint8Array({ maxLength: 400 }).filter((bytes) => !bytes.includes(0x47))
  fc.assert(
    fc.property(rubbish, fc.array(packet, { minLength: 2, maxLength: 5 }), (before, sent) => {
      const { packets, reader } = packetsFrom([before, concatenated(sent)])

      expect(packets).toEqual(sent)
      expect(reader.skippedBytes).toBe(before.length)
    }),
  )
})

test('a byte that looks like a beginning is not taken for one where the next packet says otherwise', () => {
  const sent = packetsOf(256, new Uint8Array(184 * 3))

  const { packets } = packetsFrom([Uint8Array.of(1, 0x47, 2, 3), concatenated(sent)])

  expect(packets).toEqual(sent)
})

test('endless rubbish is thrown away, not kept', () => {
  const { packets, reader } = packetsFrom(Array.from({ length: 50 }, () => new Uint8Array(10_000).fill(7)))

  expect(packets).toEqual([])
  expect(reader.skippedBytes).toBeGreaterThan(499_000)
})

test('a half packet does not run on into a new link', () => {
  const [first, second] = [packetsOf(1, new Uint8Array(184)), packetsOf(2, new Uint8Array(184))]
  const seen: Uint8Array[] = []
  const reader = new TsPackets((one) => seen.push(one.slice()))
  reader.push(concatenated(first).subarray(0, 100))
  reader.reset()
  reader.push(concatenated(second))

  expect(seen).toEqual(second)
})

test('stuffing is told apart from an adaptation field that carries a clock', () => {
  const withField = (...field: number[]): Uint8Array => {
    const bytes = new Uint8Array(tsPacketBytes)
    bytes.set([0x47, 1, 0, 0x30, ...field])
    return bytes
  }

  expect(hasStuffing(withField(7, 0x10))).toBe(false)
  expect(hasStuffing(withField(8, 0x10))).toBe(true)
  expect(hasStuffing(withField(1, 0x40))).toBe(false)
  expect(hasStuffing(withField(30, 0))).toBe(true)
  expect(hasStuffing(withField(0))).toBe(true)
  expect(hasStuffing(packetsOf(1, new Uint8Array(184))[0] ?? new Uint8Array(0))).toBe(false)
})
