import { describe, expect, test } from 'vitest'
import { ConfigError } from './errors.ts'
import { type Environment, proxyAgent, proxyFor } from './proxy.ts'

const both = { HTTP_PROXY: 'http://plain.example:3128', HTTPS_PROXY: 'http://secure.example:3128' }
const proxyOf = (address: string, environment: Environment): string | undefined =>
  proxyFor(new URL(address), environment)?.host

describe('the proxy of an address', () => {
  test.each<readonly [string, Environment, string | undefined]>([
    ['http://lab.org/x', both, 'plain.example:3128'],
    ['ws://lab.org/x', both, 'plain.example:3128'],
    ['https://lab.org/x', both, 'secure.example:3128'],
    ['wss://lab.org/x', both, 'secure.example:3128'],
    ['wss://lab.org/x', { HTTP_PROXY: 'http://plain.example:3128' }, undefined],
    ['ws://lab.org/x', { HTTPS_PROXY: 'http://secure.example:3128' }, undefined],
    ['http://lab.org/x', {}, undefined],
    ['http://lab.org/x', { HTTP_PROXY: '' }, undefined],
    ['http://lab.org/x', { http_proxy: 'http://lower.example:1' }, 'lower.example:1'],
    ['http://lab.org/x', { HTTP_PROXY: '', http_proxy: 'http://lower.example:1' }, 'lower.example:1'],
    [
      'http://lab.org/x',
      { HTTP_PROXY: 'http://upper.example:1', http_proxy: 'http://lower.example:1' },
      'upper.example:1',
    ],
    ['http://lab.org/x', { HTTP_PROXY: 'bare.example:3128' }, 'bare.example:3128'],
    ['http://lab.org/x', { HTTP_PROXY: 'https://user:pw@secure.example' }, 'secure.example'],
    ['http://localhost:8888/x', both, undefined],
    ['ws://127.0.0.1:8888/x', both, undefined],
    ['ws://127.8.9.1/x', both, undefined],
    ['ws://[::1]:8888/x', both, undefined],
    ['http://localhost.lab.org/x', both, 'plain.example:3128'],
  ])('%s with %j is %s', (address, environment, proxy) => {
    expect(proxyOf(address, environment)).toBe(proxy)
  })

  test.each([
    ['*', 'wss://lab.org/', true],
    ['lab.org', 'wss://lab.org/', true],
    ['lab.org', 'wss://relay.lab.org/', true],
    ['lab.org', 'wss://mylab.org/', false],
    ['lab.org', 'wss://lab.org.evil.example/', false],
    ['.lab.org', 'wss://relay.lab.org/', true],
    ['.lab.org', 'wss://lab.org/', false],
    ['*.lab.org', 'wss://relay.lab.org/', true],
    ['LAB.ORG', 'wss://Relay.Lab.Org/', true],
    ['a.org, lab.org ,b.org', 'wss://lab.org/', true],
    ['lab.org:8443', 'wss://lab.org:8443/', true],
    ['lab.org:8443', 'wss://lab.org/', false],
    ['lab.org:443', 'wss://lab.org/', true],
    ['lab.org:80', 'ws://lab.org/', true],
    ['10.1.2.3', 'ws://10.1.2.3/', true],
    ['10.1.2.3', 'ws://10.1.2.33/', false],
    ['10.0.0.0/8', 'ws://10.1.2.3/', true],
    ['10.0.0.0/8', 'ws://11.1.2.3/', false],
    ['10.0.0.0/8', 'ws://ten.example/', false],
    ['2001:db8::/32', 'ws://[2001:db8::7]/', true],
    ['2001:db8::/32', 'ws://[2001:db9::7]/', false],
    ['2001:db8::7', 'ws://[2001:db8::7]/', true],
    ['[2001:db8::7]:80', 'ws://[2001:db8::7]/', true],
    ['[2001:db8::7]:81', 'ws://[2001:db8::7]/', false],
    ['10.0.0.0/99', 'ws://10.1.2.3/', false],
    ['nonsense/8', 'ws://10.1.2.3/', false],
    ['', 'ws://lab.org/', false],
    [', ,', 'ws://lab.org/', false],
    [':80', 'ws://lab.org/', false],
  ])('NO_PROXY=%s keeps %s off it: %s', (list, address, isOff) => {
    expect(proxyOf(address, { ...both, NO_PROXY: list }) === undefined).toBe(isOff)
    expect(proxyOf(address, { ...both, no_proxy: list }) === undefined).toBe(isOff)
  })

  test.each([
    'socks5://user:hunter2@proxy.example:1080',
    'http://',
    'http://user:hunter2@:x',
    'ftp://hunter2',
  ])('that is no proxy (%s) is refused by the name of its variable alone', (value) => {
    const wrong = (): unknown => proxyFor(new URL('wss://lab.org'), { https_proxy: value })

    expect(wrong).toThrow(ConfigError)
    expect(wrong).toThrow(
      /^https_proxy is not the address of a proxy such as http:\/\/proxy\.example\.org:3128$/,
    )
  })
})

test('without a proxy there is no agent, with one it fits the kind of the address', () => {
  const deps = { environment: both, timeoutMs: 1000 }
  expect(proxyAgent('wss://lab.org/x', { ...deps, environment: {} })).toBeUndefined()
  expect(proxyAgent('wss://localhost/x', deps)).toBeUndefined()
  expect(proxyAgent('wss://lab.org/x', deps)).toMatchObject({ protocol: 'https:' })
  expect(proxyAgent('ws://lab.org/x', deps)).toMatchObject({ protocol: 'http:' })
})
