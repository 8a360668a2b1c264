import { ConfigError } from '@relay/common/errors'
import { describe, expect, test } from 'vitest'
import { loadShellRelayConfig } from './config.ts'

const shellNames = {
  SHELLRELAY_ACCESSPORT: '10000',
  SHELLRELAY_RELAYPORT: '10001',
  SHELLRELAY_ACCESSFQDN: 'https://access.example.io',
  SHELLRELAY_RELAYFQDN: 'wss://relay.example.io',
  SHELLRELAY_SECRET: 'testsecret',
}
const jumpNames = {
  JUMP_RELAY_PORT_ACCESS: '10000',
  JUMP_RELAY_PORT_RELAY: '10001',
  JUMP_RELAY_AUDIENCE: 'https://access.example.io',
  JUMP_RELAY_URL: 'wss://relay.example.io',
  JUMP_RELAY_SECRET: 'testsecret',
}

describe('the settings', () => {
  test.each([
    ['shell', shellNames],
    ['jump', jumpNames],
  ] as const)('are read from the variables of %s', (generation, environment) => {
    const config = loadShellRelayConfig(generation, { environment })

    expect(config.audience).toBe('https://access.example.io')
    expect(config.url).toBe('wss://relay.example.io')
    expect(config.secret).toBe('testsecret')
    expect(config.ports).toMatchObject({ access: 10_000, relay: 10_001 })
  })

  test.each([
    ['shell', { access: 8080, relay: 8081, metrics: 8086 }],
    ['jump', { access: 3002, relay: 3003, metrics: 3006 }],
  ] as const)('have the ports of %s where none are given', (generation, ports) => {
    const { JUMP_RELAY_PORT_ACCESS: _a, JUMP_RELAY_PORT_RELAY: _b, ...environment } = jumpNames

    expect(loadShellRelayConfig(generation, { environment })).toMatchObject({
      ports,
      statsEvery: 5000,
      isMetricsPortGiven: false,
    })
  })

  test.each([
    ['0x1F90', 8080],
    ['017620', 8080],
    ['8080', 8080],
  ])('take the port %s as Go reads it', (port, number) => {
    const environment = { ...shellNames, SHELLRELAY_ACCESSPORT: port }

    expect(loadShellRelayConfig('shell', { environment }).ports.access).toBe(number)
  })

  test.each([
    ['1m', 60_000],
    ['1m30s', 90_000],
    ['10ms', 1000],
    ['0.5s', 1000],
  ])('report every %s, but no more often than each second', (text, ms) => {
    const environment = { ...jumpNames, JUMP_RELAY_STATS_EVERY: text }

    expect(loadShellRelayConfig('jump', { environment }).statsEvery).toBe(ms)
  })

  test('put the old log levels into our words, and name what means nothing', () => {
    const { logLevel, ignoredSettings } = loadShellRelayConfig('jump', {
      environment: {
        ...jumpNames,
        JUMP_RELAY_LOG_LEVEL: 'panic',
        JUMP_RELAY_LOG_FILE: 'stdout',
        JUMP_RELAY_BUFFER_SIZE: '64',
        JUMP_RELAY_PROFILE: 'true',
      },
    })

    expect(logLevel).toBe('fatal')
    expect(ignoredSettings.map((line) => line.split(':')[0])).toEqual([
      'JUMP_RELAY_BUFFER_SIZE',
      'JUMP_RELAY_PROFILE',
    ])
    expect(
      loadShellRelayConfig('shell', { environment: { ...shellNames, SHELLRELAY_DEVELOPMENT: 'true' } })
        .logLevel,
    ).toBe('debug')
  })
})

describe('wrong settings', () => {
  function problems(environment: Record<string, string>): readonly string[] {
    try {
      loadShellRelayConfig('jump', { environment })
    } catch (error) {
      if (error instanceof ConfigError) return error.details['problems'] as readonly string[]
      throw error
    }
    throw new Error('nothing was wrong')
  }

  test('are told all at once, and never show a secret', () => {
    const told = problems({
      JUMP_RELAY_PORT_ACCESS: 'abc',
      JUMP_RELAY_URL: 'wss://x/',
      JUMP_RELAY_SECRET: 'a-secret-value',
    })

    expect(new Set(told.map((line) => line.split(':')[0]))).toEqual(
      new Set(['JUMP_RELAY_PORT_ACCESS', 'JUMP_RELAY_URL', 'audience']),
    )
    expect(told.join()).not.toContain('a-secret-value')
  })

  test.each([
    ['SHELLRELAY_KEYS_EVERY', '0', /keysEvery: it must be at least 100ms/],
    ['SHELLRELAY_ACCESS_PER', '0', /access\.per: it must be at least 1s/],
    ['SHELLRELAY_STATS_EVERY', '0', /statsEvery: it must be at least 1s/],
    ['SHELLRELAY_TIDY_EVERY', '0', /tidyEvery: it must be at least 1s/],
    ['SHELLRELAY_DRAIN_WITHIN', '10m', /drainWithin: it must be at most 4s/],
    ['SHELLRELAY_RELAY_WAIT_FOR_HOST', '0', /waitForHost: it must be at least 1s/],
    ['SHELLRELAY_RELAY_STALLED_AFTER', '0', /stalledAfter: it must be at least 1s/],
    ['SHELLRELAY_RELAY_MAX_OLD_BUFFERED_BYTES', '1MiB', /maxOldBufferedBytes: it must be at least 4MiB/],
    ['SHELLRELAY_RELAY_MAX_RETAINED_BYTES', '0B', /maxRetainedBytes: it must be at least 16MiB/],
    ['SHELLRELAY_RELAY_MAX_UNFINISHED_BYTES', '0B', /maxUnfinishedBytes: it must be at least 16MiB/],
  ])('%s=%s would do harm and is refused', (name, value, says) => {
    expect(problems({ ...jumpNames, [name]: value })).toEqual([expect.stringMatching(says)])
  })
})
