import { expect, test } from 'vitest'
import { explainMessageMismatch, makeMessage, makeTsPackets } from './payload.ts'

const none = new Map<string, string>()

test('MPEG-TS packets are numbered from the first', () => {
  const packets = makeTsPackets(2, 17)

  expect(packets).toHaveLength(376)
  expect([...packets.subarray(0, 6)]).toStrictEqual([0x47, 1, 0, 0x11, 21, 22])
  expect([...packets.subarray(188, 194)]).toStrictEqual([0x47, 1, 0, 0x12, 22, 23])
  expect(makeTsPackets(1, 18).equals(packets.subarray(188))).toBe(true)
})

test.for([
  ['a text', 'x', 'text', '78'],
  ['bytes', { hex: '01ff' }, 'binary', '01ff'],
  ['bytes as text', { hex: 'fffe', as: 'text' }, 'text', 'fffe'],
  ['a text as binary', { text: 'ab', as: 'binary' }, 'binary', '6162'],
  ['a filling', { fill: 65, length: 3 }, 'binary', '414141'],
] as const)('%s becomes a message of its type', ([_name, spec, type, hex]) => {
  const message = makeMessage(spec, none)

  expect(message.type).toBe(type)
  expect(message.data.toString('hex')).toBe(hex)
})

test('a message matches by type and content', () => {
  expect(explainMessageMismatch('a{{any}}', { type: 'text', data: Buffer.from('abc') }, none)).toBeUndefined()
  expect(explainMessageMismatch('abc', { type: 'binary', data: Buffer.from('abc') }, none)).toContain(
    'got binary',
  )
  expect(explainMessageMismatch({ hex: '00' }, { type: 'binary', data: Buffer.from([1]) }, none)).toContain(
    '01',
  )
})

test('a message without content is a mistake in the case', () => {
  expect(() => makeMessage({ fill: 1 }, none)).toThrow('fill and length')
})
