import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type LeftOut, PacketGate } from './packet-gate.ts'

interface Packet {
  readonly bytes: Buffer
  readonly qos: number
  readonly packetId: number | undefined
}

function packet(first: number, body: Buffer, packetId?: number): Packet {
  const length: number[] = []
  let left = body.length
  do {
    length.push((left % 128) + (left >= 128 ? 128 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return { bytes: Buffer.concat([Buffer.of(first, ...length), body]), qos: (first >> 1) & 3, packetId }
}

const publish = fc
  .record({
    topic: fc.string({ maxLength: 30 }),
    payload: fc.uint8Array({ maxLength: 400 }),
    packetId: fc.integer({ min: 1, max: 65_535 }),
    qos: fc.constantFrom(0, 1, 2),
  })
  .map(({ topic, payload, packetId, qos }) => {
    const name = Buffer.from(topic)
    const head = Buffer.of(name.length >> 8, name.length & 255, ...name)
    const id = qos > 0 ? Buffer.of(packetId >> 8, packetId & 255) : Buffer.alloc(0)
    return packet(0x30 | (qos << 1), Buffer.concat([head, id, payload]), qos > 0 ? packetId : undefined)
  })
const other = fc.constantFrom(packet(0xd0, Buffer.alloc(0)), packet(0x40, Buffer.of(0, 7)))

function run(chunks: readonly Buffer[], maxPackets: number) {
  const passed: Buffer[] = []
  const leftOut: LeftOut[] = []
  const gate = new PacketGate(
    { maxPacketBytes: 200 },
    { onBytes: (bytes) => passed.push(Buffer.from(bytes)), onLeftOut: (message) => leftOut.push(message) },
  )
  for (const chunk of chunks) {
    let left = chunk
    while (left.length > 0) {
      const { usedBytes, packets } = gate.push(left, maxPackets)
      expect(packets).toBeLessThanOrEqual(maxPackets)
      expect(usedBytes).toBeGreaterThan(0)
      left = left.subarray(usedBytes)
    }
  }
  return { passed: Buffer.concat(passed), leftOut }
}

describe('the gate', () => {
  test('lets whole packets pass and leaves out messages that are long or of QoS 2, however they are chunked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(publish, other), { maxLength: 12 }),
        fc.array(fc.nat({ max: 5_000 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (packets, cuts, maxPackets) => {
          const data = Buffer.concat(packets.map(({ bytes }) => bytes))
          const places = [...new Set(cuts.map((cut) => cut % (data.length + 1)))].sort((a, b) => a - b)
          const chunks = [0, ...places].map((start, index) =>
            data.subarray(start, places[index] ?? data.length),
          )
          const isLong = ({ bytes }: Packet): boolean => bytes.length > 200 + (bytes.length > 129 ? 3 : 2)
          const { passed, leftOut } = run(chunks, maxPackets)
          const mayPass = (one: Packet): boolean => !isLong(one) && one.qos < 2

          expect(passed).toEqual(Buffer.concat(packets.filter(mayPass).map(({ bytes }) => bytes)))
          expect(leftOut).toEqual(
            packets
              .filter((one) => !mayPass(one))
              .map((one) => ({
                reason: isLong(one) ? 'too long' : 'not asked for',
                qos: one.qos,
                packetId: one.packetId,
              })),
          )
        },
      ),
    )
  })

  test('keeps nothing of a message of 200 MB', () => {
    const passed: Buffer[] = []
    let left = 0
    const gate = new PacketGate(
      { maxPacketBytes: 200 },
      { onBytes: (bytes) => passed.push(bytes), onLeftOut: () => void (left += 1) },
    )
    const total = 200_000_000
    gate.push(
      Buffer.of(
        0x30,
        (total % 128) | 128,
        ((total >> 7) % 128) | 128,
        ((total >> 14) % 128) | 128,
        total >> 21,
      ),
      9,
    )
    const chunk = Buffer.alloc(1_000_000)
    for (let sent = 0; sent < total; sent += chunk.length) gate.push(chunk, 9)
    gate.push(Buffer.of(0xd0, 0), 9)

    expect([left, Buffer.concat(passed)]).toEqual([1, Buffer.of(0xd0, 0)])
  })

  test.each([
    ['a length without end', Buffer.of(0x30, 255, 255, 255, 255, 1)],
    ['an acknowledgement of a megabyte', Buffer.of(0x40, 0x80, 0x80, 0x40)],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request')],
  ])('refuses %s', (_what, bytes) => {
    const gate = new PacketGate(
      { maxPacketBytes: 20 },
      { onBytes: () => undefined, onLeftOut: () => undefined },
    )
    expect(() => gate.push(bytes, 9)).toThrow(/speaks no MQTT/)
  })
})
