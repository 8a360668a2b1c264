import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CodedPicture, isMpeg2, PictureAssembler, sequenceSize } from './picture-assembler.ts'
import { concatenated, packetsOf, picturePackets } from './ts-builder.ts'

const pid = 256

function assemble(packets: readonly Uint8Array[]): CodedPicture[] {
  const pictures: CodedPicture[] = []
  const assembler = new PictureAssembler(pid, (picture) => pictures.push(picture))
  for (const packet of packets) assembler.push(packet)
  return pictures
}

const key = [0, 0, 1, 0xb3, 0x14, 0, 0xf0, 0x15]
const between = [0, 0, 1, 0, 0, 0x57]

test('pictures come back byte for byte, whatever their length', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 900 }), { maxLength: 6 }), (sent) => {
      const end = picturePackets(pid, Uint8Array.from(between))

      const pictures = assemble([...sent.flatMap((bytes) => picturePackets(pid, bytes)), ...end, ...end])

      expect(pictures.slice(0, sent.length).map(({ parts }) => concatenated(parts))).toEqual(sent)
    }),
  )
})

test('a stuffed last packet ends a picture without waiting for the next one', () => {
  expect(assemble(picturePackets(pid, new Uint8Array(400)))).toHaveLength(1)
})

test('pictures that begin with a sequence header are key pictures', () => {
  const packets = [key, between].flatMap((head) =>
    picturePackets(pid, Uint8Array.from([...head, ...new Uint8Array(300)])),
  )

  expect(assemble(packets).map((picture) => picture.isKey)).toEqual([true, false])
})

test('other streams, and the tail of a picture whose head was missed, are left out', () => {
  const tail = picturePackets(pid, new Uint8Array(900)).slice(1)
  const other = picturePackets(257, new Uint8Array(400))

  expect(assemble([...tail, ...other])).toEqual([])
})

test('a flow that never begins a new picture is not kept without end', () => {
  const packets = [
    ...packetsOf(pid, Uint8Array.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0, ...new Uint8Array(175)])),
  ]
  const more = packetsOf(pid, new Uint8Array(184 * 3)).slice(1, 2)
  for (let i = 0; i < 25_000; i += 1) packets.push(...more)

  expect(
    assemble([...packets, ...picturePackets(pid, Uint8Array.from(key))]).map((picture) => picture.bytes),
  ).toEqual([])
})

test('MPEG-2 is told apart by its sequence extension', () => {
  const withHead = (...head: number[]): CodedPicture => ({
    parts: [Uint8Array.from(head)],
    bytes: head.length,
    isKey: true,
  })
  const sequence = [...key, 0xff, 0xff, 0xe0, 0x18]

  expect(isMpeg2(withHead(...sequence, 0, 0, 1, 0xb5, 0x14))).toBe(true)
  expect(isMpeg2(withHead(...sequence, 0, 0, 1, 0xb8, 0x14))).toBe(false)
  expect(isMpeg2(withHead(...sequence))).toBe(false)
})

test('the size stands in the sequence header', () => {
  expect(sequenceSize({ parts: [Uint8Array.from(key)], bytes: 8, isKey: true })).toEqual([320, 240])
  expect(sequenceSize({ parts: [Uint8Array.from(key.slice(0, 6))], bytes: 6, isKey: true })).toBeUndefined()
  expect(sequenceSize({ parts: [Uint8Array.from(between)], bytes: 6, isKey: false })).toBeUndefined()
})

test('no packets make it throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 188, maxLength: 188 })), (packets) => {
      for (const packet of packets) packet.set([0x47, ((packet[1] ?? 0) & 0xe0) | 1, 0])
      assemble(packets)
    }),
  )
})
