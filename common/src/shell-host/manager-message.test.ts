import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseManagerMessage } from './manager-message.ts'

const uuid = '0b0e5a34-0000-4000-8000-000000000003'
const uri = 'ws://127.0.0.1:10001/shell/pend00/0b0e5a34-0000-4000-8000-000000000001?code=k1'
const parse = (value: unknown): unknown =>
  parseManagerMessage(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

test('a connect of an old relay is one of a peer that nobody knows', () => {
  expect(parse({ action: 'connect', uri, uuid })).toEqual({
    kind: 'connect',
    uri,
    uuid,
    peer: undefined,
    token: undefined,
  })
})

test('a connect of our relay tells the kind of the client and the fingerprint of its token', () => {
  const token = '0123456789abcdef0123456789abcdef'
  expect(parse({ action: 'connect', uri, uuid, peer: 'tunnel', token, more: 1 })).toEqual({
    kind: 'connect',
    uri,
    uuid,
    peer: 'tunnel',
    token,
  })
})

test.each([
  ['with an empty uri, as the old relays send it', { action: 'disconnect', uri: '', uuid }],
  ['with the uri of the connect', { action: 'disconnect', uri, uuid }],
  ['without a uri', { action: 'disconnect', uuid }],
])('a disconnect counts %s', (_name, message) => {
  expect(parse(message)).toEqual({ kind: 'disconnect', uuid })
})

test('standby and active are told', () => {
  expect(parse({ action: 'standby' })).toEqual({ kind: 'standby' })
  expect(parse({ action: 'active', uuid: 5 })).toEqual({ kind: 'active' })
})

/** Spec shell 5.2. */
test.each([
  ['no JSON', 'not json'],
  ['an array', []],
  ['a text', '"connect"'],
  ['null', 'null'],
  ['nothing', ''],
  ['an unknown action', { action: 'dance', uri: '/x', uuid }],
  ['an action in another letter case', { action: 'Connect', uri, uuid }],
  ['an action that is no text', { action: ['connect'], uri, uuid }],
  ['a connect with an empty uri', { action: 'connect', uri: '', uuid }],
  ['a connect without a uri', { action: 'connect', uuid }],
  ['a connect whose uri is no text', { action: 'connect', uri: {}, uuid }],
  ['a connect without a uuid', { action: 'connect', uri }],
  ['a connect with an endless uuid', { action: 'connect', uri, uuid: 'x'.repeat(129) }],
  ['a disconnect without a uuid', { action: 'disconnect', uri }],
  ['what is too long', { action: 'connect', uri, uuid, more: 'x'.repeat(16_384) }],
])('is ignored: %s', (_name, message) => {
  expect(parse(message)).toBeUndefined()
})

test('nothing that a relay sends makes it throw', () => {
  const names = fc.constantFrom('action', 'uri', 'uuid', 'peer', 'token', '__proto__')
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom('connect', 'disconnect', 'standby', uri, uuid))
  const message = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.dictionary(names, values).map((fields) => Buffer.from(JSON.stringify(fields))),
  )
  fc.assert(
    fc.property(message, (data) => {
      const parsed = parseManagerMessage(data)
      expect(['connect', 'disconnect', 'standby', 'active', undefined]).toContain(parsed?.kind)
    }),
    { numRuns: 1000 },
  )
})
