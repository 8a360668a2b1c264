import { describe, expect, test } from 'vitest'
import { ClientAddress, isAddressOrNetwork, limitKey } from './client-address.ts'

describe('a client address', () => {
  const behindProxy = new ClientAddress(['10.0.0.0/8', '2001:db8::1'])

  test.each([
    ['127.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['::ffff:127.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['::1', '2001:db8:5::9', '2001:db8:5::9'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['127.0.0.1', 'nonsense', '127.0.0.1'],
    ['127.0.0.1', 'spoofed, 198.51.100.1, 192.0.2.7, 10.1.2.3', '192.0.2.7'],
    ['10.9.9.9', '192.0.2.7', '192.0.2.7'],
    ['127.0.0.1', '6.6.6.6, 203.0.113.9:51234', '203.0.113.9'],
    ['127.0.0.1', '6.6.6.6, [2001:db8:7::9]:443', '2001:db8:7::9'],
    ['127.0.0.1', '6.6.6.6, [2001:db8:7::9]', '2001:db8:7::9'],
    ['127.0.0.1', '6.6.6.6, 203.0.113.9, 10.1.2.3:8080', '203.0.113.9'],
    ['127.0.0.1', '6.6.6.6, unknown', '127.0.0.1'],
    ['127.0.0.1', '6.6.6.6, unknown, 10.1.2.3', '127.0.0.1'],
    ['203.0.113.5', '192.0.2.7', '203.0.113.5'],
    ['2001:db8::1', '192.0.2.7', '192.0.2.7'],
  ])('of the peer %s with X-Forwarded-For %j is %s', (peer, forwardedFor, client) => {
    expect(behindProxy.of(peer, forwardedFor)).toBe(client)
  })

  test('what is reported is the header as it came, from trusted peers only', () => {
    expect(behindProxy.reported('127.0.0.1', '192.0.2.7, 10.0.0.1')).toBe('192.0.2.7, 10.0.0.1')
    expect(behindProxy.reported('203.0.113.5', '192.0.2.7')).toBe('')
    expect(behindProxy.reported('', 'x')).toBe('')
  })
})

test.each([
  ['10.0.0.0/8', true],
  ['10.0.0.1', true],
  ['::1/128', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0/8/8', false],
  ['localhost', false],
  ['', false],
  ['10.0.0.0/', false],
])('whether %j is an address or a network: %s', (text, isOne) => {
  expect(isAddressOrNetwork(text)).toBe(isOne)
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['1:2:3::', '1:2:3:0::/64'],
])('limits count %s as %s', (address, key) => {
  expect(limitKey(address)).toBe(key)
})
