import { expect, test } from 'vitest'
import { canonicalAddress, parseDestination, shownUrl, topicUrl } from './destination.ts'

test('with a token the destination is an access API, without one a websocket', () => {
  expect(parseDestination('https://a.example/s/x', { hasToken: true }).kind).toBe('access')
  expect(parseDestination('ws://a.example/s/x', { hasToken: false }).kind).toBe('direct')
})

test.each([
  ['wss://a.example/x', true, /must begin with https/],
  ['https://a.example/x', false, /must begin with wss/],
  ['', false, /not a complete address/],
  ['nonsense', true, /not a complete address/],
  ['ws://user:pass@a.example/x', false, /user name or password/],
])('%s (token: %s) is refused for good, without showing it', (url, hasToken, expected) => {
  const parse = (): unknown => parseDestination(url, { hasToken })

  expect(parse).toThrow(expected)
  expect(parse).toThrow(expect.objectContaining({ code: 'DESTINATION_WRONG', permanent: true }) as Error)
  expect(parse).not.toThrow(/pass@/)
})

test('a topic is one escaped segment of the access address', () => {
  expect(topicUrl('https://a.example/ed0/access/', 'a/b')).toBe('https://a.example/ed0/access/session/a%2Fb')
})

test('what is shown of an address holds neither code nor password', () => {
  expect(shownUrl('wss://u:p@a.example:8/x?code=secret#f')).toBe('wss://a.example:8/x')
  expect(shownUrl('nonsense')).toBe('(not an address)')
})

test.each([
  'wss://Relay.Example/a/b',
  'wss://relay.example:443/a/b',
  'wss://relay.example/a/b/',
  'wss://relay.example/a/b?',
  'wss://relay.example/a/./b#',
])('%s is one more spelling of the same address', (url) => {
  expect(canonicalAddress(url)).toBe('wss://relay.example/a/b')
})

test.each([
  ['ws://relay.example/a/b', 'ws://relay.example/a/b'],
  ['wss://relay.example:8443/a?x=Y', 'wss://relay.example:8443/a?x=Y'],
  ['wss://relay.example/A', 'wss://relay.example/A'],
  ['nonsense', 'nonsense'],
])('%s keeps what tells it from others', (url, expected) => {
  expect(canonicalAddress(url)).toBe(expected)
})
