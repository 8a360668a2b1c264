import { describe, expect, test } from 'vitest'
import { mergeKnownHosts } from './known-hosts-text.ts'

const ed = 'ssh-ed25519 AAAA1'
const rsa = 'ssh-rsa AAAA2'

test('keys of a new experiment are added, and what others wrote stays', () => {
  const before = '# mine\n@cert-authority *.org ssh-rsa AAAA9\nother ssh-rsa AAAA3\n|1|hash|= ssh-rsa AAAA4\n'
  const merged = mergeKnownHosts(before, [
    { id: 'pend00', keys: [ed, rsa], signedAtSec: undefined, mayReplace: false },
  ])

  expect(merged.text).toBe(`${before}pend00 ${ed}\npend00 ${rsa}\n`)
  expect(merged).toMatchObject({ conflicts: [], replaced: [] })
})

test.each([
  ['another key of the same type', ['ssh-ed25519 AAAA7']],
  ['a type that was not there', [ed, rsa]],
])('%s is a conflict, and the line stays', (_what, keys) => {
  const before = `pend00 ${ed} comment\n`

  expect(
    mergeKnownHosts(before, [{ id: 'pend00', keys, signedAtSec: undefined, mayReplace: false }]),
  ).toEqual({
    text: before,
    conflicts: ['pend00'],
    outdated: [],
    replaced: [],
  })
  expect(mergeKnownHosts(before, [{ id: 'pend00', keys, signedAtSec: undefined, mayReplace: true }])).toEqual(
    {
      text: keys.map((key) => `pend00 ${key}\n`).join(''),
      conflicts: [],
      outdated: [],
      replaced: ['pend00'],
    },
  )
})

test('the same keys again change nothing, and no keys take nothing away', () => {
  const before = `pend00 ${ed}\n`

  expect(
    mergeKnownHosts(before, [{ id: 'pend00', keys: [ed], signedAtSec: undefined, mayReplace: false }]).text,
  ).toBe(before)
  expect(
    mergeKnownHosts(before, [{ id: 'pend00', keys: [], signedAtSec: undefined, mayReplace: true }]).text,
  ).toBe(before)
})

describe('signed keys', () => {
  const other = 'ssh-ed25519 AAAA7'
  const known = `pend00 ${ed} signed=2023-11-14T22:13:20Z\npend00 ${rsa} signed=2023-11-14T22:13:20Z\n`
  const knownAtSec = 1_700_000_000
  const merge = (
    keys: readonly string[],
    signedAtSec: number | undefined,
    mayReplace = false,
  ): ReturnType<typeof mergeKnownHosts> =>
    mergeKnownHosts(known, [{ id: 'pend00', keys, signedAtSec, mayReplace }])

  test('take the place of others, and their time is kept with them', () => {
    expect(
      mergeKnownHosts(`pend00 ${other}\n`, [
        { id: 'pend00', keys: [ed, rsa], signedAtSec: knownAtSec, mayReplace: false },
      ]),
    ).toEqual({ text: known, conflicts: [], outdated: [], replaced: ['pend00'] })
    expect(merge([other], knownAtSec + 1)).toEqual({
      text: `pend00 ${other} signed=2023-11-14T22:13:21Z\n`,
      conflicts: [],
      outdated: [],
      replaced: ['pend00'],
    })
  })

  test.each([knownAtSec - 1, 0])('that were signed at %i give way to later ones', (signedAtSec) => {
    expect(merge([other], signedAtSec)).toEqual({
      text: known,
      conflicts: [],
      outdated: [{ id: 'pend00', signedAtSec, knownAtSec }],
      replaced: [],
    })
  })

  test('stay whole where an earlier or unsigned answer has fewer of them', () => {
    for (const signedAtSec of [knownAtSec - 1, undefined])
      expect(merge([ed], signedAtSec)).toEqual({ text: known, conflicts: [], outdated: [], replaced: [] })
    expect(merge([ed], knownAtSec).text).toBe(`pend00 ${ed} signed=2023-11-14T22:13:20Z\n`)
  })

  test('give way to an unsigned one as an order alone', () => {
    expect(merge([other], undefined)).toMatchObject({ text: known, conflicts: ['pend00'] })
    expect(merge([other], undefined, true)).toMatchObject({ text: `pend00 ${other}\n`, replaced: ['pend00'] })
    expect(merge([other], knownAtSec - 1, true)).toMatchObject({ replaced: ['pend00'], outdated: [] })
  })
})
