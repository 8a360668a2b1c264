import { expect, test } from 'vitest'
import { isPrivateAddress } from './private-address.ts'

test.each([
  '10.0.0.1',
  '127.0.0.1',
  '169.254.3.4',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.178.20',
  '::1',
  '::ffff:192.168.1.1',
  '::FFFF:10.1.1.1',
  'fd12:3456::1',
  'fe80::1%eth0',
])('%s is of a local network', (address) => {
  expect(isPrivateAddress(address)).toBe(true)
})

test.each([
  '8.8.8.8',
  '11.0.0.1',
  '172.32.0.1',
  '192.169.0.1',
  '100.64.0.1',
  '0.0.0.0',
  '::',
  '2001:db8::1',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  'fec0::1',
  'localhost',
  '',
  '10.0.0.1.example.org',
])('%s is not', (address) => {
  expect(isPrivateAddress(address)).toBe(false)
})
