import { describe, expect, test } from 'vitest'
import { type GuardPolicy, guardRequest, isLoopbackAddress, type RequestOrigin } from './guard-request.ts'

const onLoopback: GuardPolicy = {
  hostNames: new Set(['spin30.lab']),
  allowsAnyAddress: false,
  origins: new Set(['https://lab.example.org']),
}
const onNetwork: GuardPolicy = { ...onLoopback, allowsAnyAddress: true }

function verdictOn(policy: GuardPolicy, origin: Partial<RequestOrigin>): string {
  const verdict = guardRequest(
    { host: 'localhost:8888', origin: undefined, fetchSite: undefined, ...origin },
    policy,
  )
  return verdict.ok ? 'ok' : verdict.reason
}

describe('a program without an Origin', () => {
  test.each([
    ['localhost', 'ok'],
    ['localhost:8888', 'ok'],
    ['LOCALHOST:8888', 'ok'],
    ['localhost.:8888', 'ok'],
    ['agent.localhost:1', 'ok'],
    ['127.0.0.1:8888', 'ok'],
    ['127.9.9.9', 'ok'],
    ['[::1]:8888', 'ok'],
    ['[::ffff:127.0.0.1]:8888', 'ok'],
    ['spin30.lab:8888', 'ok'],
    ['evil.example:8888', 'host'],
    ['localhost.evil.example', 'host'],
    ['192.168.1.7:8888', 'host'],
    ['[fe80::1]:8888', 'host'],
    ['localhost:8888@evil.example', 'host'],
    ['', 'host'],
    ['localhost:x', 'host'],
  ])('that addresses %j gets %s', (host, expected) => {
    expect(verdictOn(onLoopback, { host })).toBe(expected)
  })

  test('that sends no Host at all is fine: no browser does that', () => {
    expect(verdictOn(onLoopback, { host: undefined })).toBe('ok')
  })

  test('may use any address once the API listens on the network, but no foreign name', () => {
    expect(verdictOn(onNetwork, { host: '192.168.1.7:8888' })).toBe('ok')
    expect(verdictOn(onNetwork, { host: 'evil.example:8888' })).toBe('host')
  })
})

describe('a request with an Origin', () => {
  test.each([
    ['https://evil.example', 'origin'],
    ['null', 'origin'],
    ['', 'origin'],
    ['http://localhost:3000', 'origin'],
    ['https://localhost:8888', 'origin'],
    ['http://localhost:8888, https://evil.example', 'origin'],
    ['https://lab.example.org', 'ok'],
    ['https://lab.example.org.evil.example', 'origin'],
    // Some websocket libraries send the address they dial.
    ['http://localhost:8888', 'ok'],
  ])('%j gets %s', (origin, expected) => {
    expect(verdictOn(onLoopback, { origin })).toBe(expected)
  })

  test('of a name that was made to point here is refused by its Host', () => {
    expect(verdictOn(onLoopback, { host: 'evil.example:8888', origin: 'http://evil.example:8888' })).toBe(
      'host',
    )
    expect(verdictOn(onNetwork, { host: 'evil.example:8888', origin: 'http://evil.example:8888' })).toBe(
      'host',
    )
  })
})

describe('a browser that sends no Origin', () => {
  test.each([
    ['cross-site', 'origin'],
    ['same-site', 'origin'],
    ['same-origin', 'ok'],
    ['none', 'ok'],
  ])('and says %s gets %s', (fetchSite, expected) => {
    expect(verdictOn(onLoopback, { fetchSite })).toBe(expected)
  })
})

test.each([
  ['127.0.0.1', true],
  ['127.255.0.3', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['127.evil', false],
])('whether %s is loopback: %s', (address, expected) => {
  expect(isLoopbackAddress(address)).toBe(expected)
})
