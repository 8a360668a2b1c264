import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concatenated, type ElementaryStream, patPackets, pmtPackets } from './ts-builder.ts'
import { tsPacketBytes } from './ts-packets.ts'
import { TsProgramMap, type VideoProgram } from './ts-program-map.ts'

/** A packet from the beginning of its bytes in hexadecimal, the rest is 0xff as a multiplexer fills it. */
function packetFromHex(hex: string): Uint8Array {
  const packet = new Uint8Array(tsPacketBytes).fill(0xff)
  packet.set(Buffer.from(hex, 'hex'))
  return packet
}

function readAll(packets: readonly Uint8Array[]): VideoProgram | undefined {
  const map = new TsProgramMap()
  for (const packet of packets) map.push(packet)
  return map.video
}

const patByFfmpeg = packetFromHex('474000100000b00d0001c100000001f0002ab104b2')
const pmtMpegByFfmpeg = packetFromHex('475000100002b0120001c10000e100f00002e100f0009e8b23d1')
const pmtH264ByFfmpeg = packetFromHex('475000100002b0120001c10000e100f0001be100f00015bd4d56')
const serviceByFfmpeg = packetFromHex('474011100042f0250001c10000ff01ff0001fc80144812010646466d70656709')

test('tables written by ffmpeg are read', () => {
  expect(readAll([serviceByFfmpeg, patByFfmpeg, pmtMpegByFfmpeg])).toEqual({
    codec: 'mpeg1',
    pid: 256,
    streamType: 2,
  })
  expect(readAll([serviceByFfmpeg, patByFfmpeg, pmtH264ByFfmpeg])).toEqual({
    codec: 'h264',
    pid: 256,
    streamType: 0x1b,
  })
})

test('a program map before its association is not taken for one', () => {
  expect(readAll([pmtH264ByFfmpeg])).toBeUndefined()
  expect(readAll([pmtH264ByFfmpeg, patByFfmpeg])).toBeUndefined()
})

test('a damaged table is left out', () => {
  const damaged = pmtH264ByFfmpeg.slice()
  damaged[17] = 0x02

  expect(readAll([patByFfmpeg, damaged])).toBeUndefined()
  expect(readAll([patByFfmpeg, damaged, pmtH264ByFfmpeg])?.codec).toBe('h264')
})

const pid = fc.integer({ min: 32, max: 0x1ffe })
const audio = fc.record({
  streamType: fc.constantFrom(3, 4, 0x0f, 0x81),
  pid,
  descriptorBytes: fc.nat({ max: 90 }),
})
const video = fc.record({
  streamType: fc.constantFrom(1, 2, 0x1b, 0x24),
  pid,
  descriptorBytes: fc.nat({ max: 90 }),
})

test('the first video is found among other streams, in tables of any length', () => {
  fc.assert(
    fc.property(
      pid,
      fc.array(audio, { maxLength: 6 }),
      video,
      fc.array(fc.oneof(audio, video), { maxLength: 3 }),
      (pmtPid, before, wanted: ElementaryStream, after) => {
        const found = readAll([...patPackets(pmtPid), ...pmtPackets(pmtPid, [...before, wanted, ...after])])

        expect(found).toMatchObject({ pid: wanted.pid, streamType: wanted.streamType })
      },
    ),
  )
})

test('a stream without video has none', () => {
  expect(readAll([...patPackets(100), ...pmtPackets(100, [{ streamType: 3, pid: 200 }])])).toBeUndefined()
})

test('a camera that changes its codec is noticed', () => {
  const found = readAll([patByFfmpeg, pmtMpegByFfmpeg, pmtH264ByFfmpeg])

  expect(found?.codec).toBe('h264')
})

test('the answer stays the same object while nothing changes', () => {
  const map = new TsProgramMap()
  map.push(patByFfmpeg)
  const first = map.push(pmtMpegByFfmpeg)

  expect(map.push(pmtMpegByFfmpeg)).toBe(first)
})

test('no bytes make it throw or give a PID out of range', () => {
  const mutated = fc.tuple(fc.nat({ max: 5000 }), fc.nat({ max: 255 }))
  const flow = concatenated([
    patByFfmpeg,
    ...pmtPackets(4096, [{ streamType: 3, pid: 99, descriptorBytes: 300 }]),
    pmtH264ByFfmpeg,
  ])
  fc.assert(
    fc.property(
      fc.array(mutated, { maxLength: 8 }),
      fc.uint8Array({ maxLength: 3 * tsPacketBytes }),
      (changes, tail) => {
        const bytes = concatenated([flow, tail, flow])
        for (const [position, value] of changes) bytes[position % bytes.length] = value
        const map = new TsProgramMap()
        for (let i = 0; i < bytes.length; i += tsPacketBytes) map.push(bytes.subarray(i, i + tsPacketBytes))

        expect(map.video?.pid ?? 0).toBeLessThanOrEqual(0x1fff)
      },
    ),
  )
})
