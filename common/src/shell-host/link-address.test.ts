import { expect, test } from 'vitest'
import { linkAddressFlaw } from './link-address.ts'

const manager = 'wss://relay.example.org/shell/pend00?code=m1'

test.each([
  'wss://relay.example.org/shell/pend00/c1?code=k1',
  'wss://relay.example.org:443/shell/pend00/c1?code=k1',
  'WSS://RELAY.example.org/other/prefix/pend00/c1?code=k1',
])('%s is dialled by a host whose manager is at the same origin', (uri) => {
  expect(linkAddressFlaw(uri, manager)).toBeUndefined()
})

test.each([
  ['nothing', ''],
  ['a path', '/shell/pend00/c1?code=k1'],
  ['a word', 'x'],
  ['http', 'https://relay.example.org/shell/pend00/c1?code=k1'],
  ['a file', 'file:///etc/passwd'],
  ['without TLS where the manager has it', 'ws://relay.example.org/shell/pend00/c1?code=k1'],
  ['another host', 'wss://192.168.1.1/shell/pend00/c1?code=k1'],
  ['another port', 'wss://relay.example.org:8443/shell/pend00/c1?code=k1'],
  ['a host that begins alike', 'wss://relay.example.org.evil.example/shell/pend00?code=k1'],
  ['a user', 'wss://relay.example.org@10.0.0.1/shell/pend00?code=k1'],
  ['a user of the right host', 'wss://root@relay.example.org/shell/pend00?code=k1'],
])('is not dialled: %s', (_name, uri) => {
  expect(linkAddressFlaw(uri, manager)).toMatch(/^it /)
})

test('the reason does not show the one-time code', () => {
  expect(linkAddressFlaw('wss://10.0.0.1/shell/pend00?code=topsecret', manager)).not.toContain('topsecret')
})
