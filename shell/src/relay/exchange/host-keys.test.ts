import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHostKeys } from './host-keys.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGlpb2dhbmRhbG90b2Z6ZXJvc2FuZG9uZXM='
const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5)

function read(told: unknown): ReturnType<typeof readHostKeys> {
  return readHostKeys(Buffer.from(JSON.stringify(told)), nowMs)
}

test('keys and signature are kept as they were told, with the time', () => {
  expect(read({ type: 'host-keys', keys: [key, `${key} root@pend00`], signed: 'e30.e30.sig_-' })).toEqual({
    keys: [key, `${key} root@pend00`],
    signed: 'e30.e30.sig_-',
    since: '2026-01-02T03:04:05.000Z',
  })
  expect(read({ type: 'host-keys', keys: [key] })?.signed).toBeUndefined()
})

test.each([
  [{ type: 'other', keys: [key] }],
  [{ type: 'host-keys' }],
  [{ type: 'host-keys', keys: [7] }],
  [{ type: 'host-keys', keys: [`${key}\nevil.example ssh-ed25519 AAAA`] }],
  [{ type: 'host-keys', keys: ['not a key'] }],
  [{ type: 'host-keys', keys: Array.from({ length: 17 }, () => key) }],
  [[]],
  [null],
])('%j tells no keys', (told) => {
  expect(read(told)).toBeUndefined()
})

test('a signature that is none is left out', () => {
  expect(read({ type: 'host-keys', keys: [key], signed: 'no jws' })).toMatchObject({ signed: undefined })
})

test('whatever bytes come, nothing is thrown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      readHostKeys(Buffer.from(text), nowMs)
    }),
  )
  expect(readHostKeys(Buffer.alloc(16_385, ' '), nowMs)).toBeUndefined()
})
