import { ConfigError } from '@relay/common/errors'
import { describe, expect, test } from 'vitest'
import { loadRelayConfig } from './config.ts'

const old022 = {
  RELAY_ACCESSPORT: '10000',
  RELAY_RELAYPORT: '10001',
  RELAY_ACCESSFQDN: 'https://access.example.io',
  RELAY_RELAYFQDN: 'wss://relay.example.io',
  RELAY_SECRET: 'testsecret',
}
const old093 = {
  RELAY_PORT_ACCESS: '10000',
  RELAY_PORT_RELAY: '10001',
  RELAY_AUDIENCE: 'https://access.example.io',
  RELAY_URL: 'wss://relay.example.io',
  RELAY_SECRET: 'testsecret',
}

describe('the settings', () => {
  test.each([
    ['0.2.2', old022],
    ['0.9.3', old093],
  ] as const)('are read from the variables of %s', (generation, environment) => {
    const config = loadRelayConfig(generation, { environment })

    expect(config.audience).toBe('https://access.example.io')
    expect(config.url).toBe('wss://relay.example.io')
    expect(config.secret).toBe('testsecret')
    expect(config.ports).toMatchObject({ access: 10_000, relay: 10_001 })
  })

  test('have the defaults of their generation', () => {
    const { RELAY_ACCESSPORT: _a, RELAY_RELAYPORT: _b, ...environment } = old022

    expect(loadRelayConfig('0.2.2', { environment })).toMatchObject({
      ports: { access: 8082, relay: 8083, metrics: 8084 },
      isBookingIdOptional: true,
    })
    expect(loadRelayConfig('0.9.3', { environment })).toMatchObject({
      ports: { access: 3000, relay: 3001, metrics: 3002 },
      isBookingIdOptional: false,
      statsEvery: 5000,
      tidyEvery: 300_000,
    })
  })

  test('take the old durations and booleans', () => {
    const config = loadRelayConfig('0.9.3', {
      environment: {
        ...old093,
        RELAY_STATS_EVERY: '1s',
        RELAY_TIDY_EVERY: '1m30s',
        RELAY_ALLOW_NO_BOOKING_ID: 'TRUE',
      },
    })

    expect(config).toMatchObject({ statsEvery: 1000, tidyEvery: 90_000, isBookingIdOptional: true })
  })
})

describe('wrong settings', () => {
  function problems(environment: Record<string, string>): readonly string[] {
    try {
      loadRelayConfig('0.9.3', { environment })
    } catch (error) {
      if (error instanceof ConfigError) return error.details['problems'] as readonly string[]
      throw error
    }
    throw new Error('nothing was wrong')
  }

  test('are told all at once', () => {
    const told = problems({ RELAY_PORT_ACCESS: 'abc', RELAY_URL: 'wss://x/' })

    expect(new Set(told.map((line) => line.split(':')[0]))).toEqual(
      new Set(['RELAY_PORT_ACCESS', 'RELAY_URL', 'audience', 'secret']),
    )
  })

  test('an empty secret and no keys is one of them', () => {
    expect(problems({ ...old093, RELAY_SECRET: '' })).toEqual([
      expect.stringMatching(/^secret: no secret and no keys/),
    ])
  })

  test('a key folder or a secret file is enough', () => {
    expect(
      loadRelayConfig('0.9.3', { environment: { ...old093, RELAY_SECRET: '', RELAY_KEY_DIRECTORY: 'k' } })
        .keyDirectory,
    ).toBe('k')
    expect(
      loadRelayConfig('0.9.3', { environment: { ...old093, RELAY_SECRET: '', RELAY_SECRET_FILES: 'a, b' } })
        .secretFiles,
    ).toEqual(['a', 'b'])
  })

  test('a proxy that is no address is named', () => {
    expect(problems({ ...old093, RELAY_TRUSTED_PROXIES: '10.0.0.1,nginx' })).toEqual([
      expect.stringContaining('"nginx" is no IP address'),
    ])
  })

  test('a secret is never shown', () => {
    expect(problems({ RELAY_SECRET: 'very-secret-value' }).join()).not.toContain('very-secret-value')
  })
})

test.each([
  ['RELAY_KEYS_EVERY', '0', /keysEvery: it must be at least 100ms/],
  ['RELAY_ACCESS_PER', '0', /access\.per: it must be at least 1s/],
  ['RELAY_TIDY_EVERY', '0', /tidyEvery: it must be at least 1s/],
  ['RELAY_STATS_EVERY', '0', /statsEvery: it must be at least 100ms/],
  ['RELAY_RELAY_STALLED_AFTER', '0', /stalledAfter: it must be at least 1s/],
  ['RELAY_RELAY_MAX_BUFFERED_BYTES', '0B', /maxBufferedBytes: it must be at least 64KiB/],
  ['RELAY_RELAY_MAX_BUFFERED_TEXT_BYTES', '0B', /maxBufferedTextBytes: it must be at least 64KiB/],
  ['RELAY_RELAY_MAX_RETAINED_BYTES', '0B', /maxRetainedBytes: it must be at least 1MiB/],
  ['RELAY_RELAY_MAX_UNFINISHED_BYTES', '0B', /maxUnfinishedBytes: it must be at least 1MiB/],
  ['RELAY_DRAIN_WITHIN', '10m', /drainWithin: it must be at most 4s/],
])('%s=%s would do harm and is refused', (name, value, says) => {
  expect(() => loadRelayConfig('0.9.3', { environment: { ...old093, [name]: value } })).toThrow(says)
})
