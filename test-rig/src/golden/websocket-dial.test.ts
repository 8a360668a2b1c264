import { expect, test } from 'vitest'
import { addressParts } from './http-steps.ts'
import { acceptKey, splitAddress } from './websocket-dial.ts'

test('the answer to a key is that of RFC 6455', () => {
  expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})

test.for([
  ['ws://127.0.0.1:80/session//a/../b%zz?code=1&x', 80, '/session//a/../b%zz?code=1&x'],
  ['http://127.0.0.1:8082', 8082, '/'],
  ['ws://127.0.0.1:1?code=1', 1, '/?code=1'],
] as const)('%s keeps its path as written', ([address, port, path]) => {
  expect(splitAddress(address)).toStrictEqual({ port, path })
})

test.for(['wss://127.0.0.1:1/x', 'ws://relay.example.io:80/x?code=secret', 'ws://127.0.0.1/x', ''])(
  '%s is refused, without its query',
  (address) => {
    expect(() => splitAddress(address)).toThrow(/^can only dial loopback with a port, not (?!.*secret)/)
  },
)

test('a saved address has its path, query and code', () => {
  expect(addressParts('wss://a.io/ed0/relay/session/x?a=1&code=c-1')).toStrictEqual({
    Path: '/ed0/relay/session/x?a=1&code=c-1',
    Query: 'a=1&code=c-1',
    Code: 'c-1',
  })
  expect(addressParts('wss://a.io/x').Query).toBe('')
})
