import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseClaims } from './claims.ts'
import { type KeyPolicy, matchesTopic, policyBreach } from './key-policy.ts'

describe('a topic pattern', () => {
  test.each([
    ['spin30-data', 'spin30-data', true],
    ['spin30-data', 'spin30-video', false],
    ['spin30-*', 'spin30-data', true],
    ['spin30-*', 'spin30-', true],
    ['spin30-*', 'spin3-data', false],
    ['*-data', 'spin30-data', true],
    ['*-data', '-data', true],
    ['*-data', 'spin30-data2', false],
    ['*', '', true],
    ['*', 'anything/at all', true],
    ['**', 'x', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'acb', false],
    ['a*bb*b', 'abb', false],
    ['a*bb*b', 'abbb', true],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['', '', true],
    ['', 'x', false],
    ['a.c', 'abc', false],
    ['[a-z]', 'b', false],
    ['a?', 'ab', false],
    ['A*', 'a', false],
  ])('%j against %j: %s', (pattern, topic, fits) => {
    expect(matchesTopic(topic, pattern)).toBe(fits)
  })

  test('agrees with a regular expression in which only * is special', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'ab*'.split('')), maxLength: 8 })
    const topic = fc.string({ unit: fc.constantFrom(...'ab'.split('')), maxLength: 12 })
    fc.assert(
      fc.property(letters, topic, (pattern, text) => {
        expect(matchesTopic(text, pattern)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('a hostile topic against a hostile pattern takes no time', () => {
    const before = process.cpuUsage()
    matchesTopic('a'.repeat(16_000), `${'a*'.repeat(500)}b`)
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(500)
  })
})

describe('a policy', () => {
  const policy: KeyPolicy = {
    topics: ['spin30-*', 'canary'],
    scopes: ['read', 'write'],
    maxLifetimeSec: 3600,
  }
  const nowSec = 1_000_000
  const within = { topic: 'spin30-data', scopes: ['write'], iat: nowSec - 60, exp: nowSec + 3540 }

  test.each<readonly [string, Record<string, unknown>, string | undefined]>([
    ['allows what is within it', {}, undefined],
    ['allows another topic of its list', { topic: 'canary' }, undefined],
    ['refuses another topic', { topic: 'spin31-data' }, 'its key may not sign for the topic "spin31-data"'],
    ['leaves a token without topic to its scopes', { topic: '' }, undefined],
    [
      'refuses one scope too many',
      { scopes: ['read', 'relay:admin'] },
      'its key may not give the scope "relay:admin"',
    ],
    ['refuses a scope in another letter case', { scopes: ['Read'] }, 'its key may not give the scope "Read"'],
    ['wants an end', { exp: null }, 'its key must say when a token ends'],
    [
      'refuses a second more than its longest life',
      { exp: nowSec + 3541 },
      'it lives longer than the 3600 s its key may give',
    ],
    ['counts from now without iat', { iat: null, exp: nowSec + 3600 }, undefined],
    [
      'counts from now without iat, and refuses more',
      { iat: null, exp: nowSec + 3601 },
      'it lives longer than the 3600 s its key may give',
    ],
    [
      'counts from now where iat lies ahead',
      { iat: nowSec + 500, exp: nowSec + 3601 },
      'it lives longer than the 3600 s its key may give',
    ],
  ])('%s', (_name, change, breach) => {
    expect(policyBreach(parseClaims({ ...within, ...change }), policy, nowSec)).toBe(breach)
  })

  test('an empty list of topics or scopes allows none', () => {
    expect(policyBreach(parseClaims(within), { ...policy, topics: [] }, nowSec)).toContain('topic')
    expect(policyBreach(parseClaims(within), { ...policy, scopes: [] }, nowSec)).toContain('scope')
  })
})
