import { createHmac } from 'node:crypto'
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

function hashed(name: string): string {
  const salt = Buffer.alloc(20, 7)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

describe('a line that ssh takes for the name', () => {
  const other = 'ssh-ed25519 AAAA7'
  const unsigned = { id: 'pend00', keys: [other], signedAtSec: undefined, mayReplace: false }

  // What is left of the line when the key is another one.
  test.each([
    ['hashed', `${hashed('pend00')} ${ed}`, ''],
    ['joined', `spin01,pend00,spin02 ${ed} mine`, `spin01,spin02 ${ed} mine\n`],
    ['tabbed', `pend00\tssh-ed25519\tAAAA1`, ''],
    ['indented, with two blanks', `  pend00  ssh-ed25519  AAAA1`, ''],
    ['in capitals', `PEND00 ${ed}`, ''],
    ['a pattern', `pend?? ${ed}`, `pend??,!pend00 ${ed}\n`],
    ['a pattern for all', `*,!spin01 ${ed}`, `*,!spin01,!pend00 ${ed}\n`],
    ['with a CR', `pend00 ${ed}\r`, ''],
  ])('%s keeps a stranger away, and gives way to what is signed or ordered', (_how, line, left) => {
    const before = `# mine\n${line}\n`

    expect(mergeKnownHosts(before, [unsigned])).toMatchObject({ text: before, conflicts: ['pend00'] })
    expect(mergeKnownHosts(before, [{ ...unsigned, mayReplace: true }])).toMatchObject({
      text: `# mine\n${left}pend00 ${other}\n`,
      replaced: ['pend00'],
    })
    expect(mergeKnownHosts(before, [{ ...unsigned, signedAtSec: 1_700_000_000 }])).toMatchObject({
      text: `# mine\n${left}pend00 ${other} signed=2023-11-14T22:13:20Z\n`,
      replaced: ['pend00'],
    })
  })

  test.each([
    hashed('spin01'),
    '|1|',
    '|2|AAAA|AAAA',
    '[pend00]:2222',
    'pend00x,xpend00',
    'pend*,!pend00',
    '!pend00',
    '@revoked pend00',
    '@cert-authority *',
    '#pend00',
  ])('is not one with %s', (names) => {
    const before = `${names} ${ed}\r\n`

    expect(mergeKnownHosts(before, [unsigned])).toMatchObject({
      text: `${before}pend00 ${other}\n`,
      conflicts: [],
    })
  })

  test('of many stars is judged at once', () => {
    const before = `${'*a'.repeat(400)} ${ed}\n`
    const id = `${'a'.repeat(127)}b`

    expect(mergeKnownHosts(before, [{ ...unsigned, id }])).toMatchObject({ conflicts: [] })
  })
})

test.each([
  ['behind a CR', `pend00 ${ed} signed=2023-11-14T22:13:20Z\r`],
  ['behind two blanks', `pend00 ${ed}  signed=2023-11-14T22:13:20Z`],
  ['behind a tab', `pend00 ${ed}\tsigned=2023-11-14T22:13:20Z`],
  ['behind other words', `pend00 ${ed} board of lab 3 signed=2023-11-14T22:13:20Z`],
  ['of a hashed name', `${hashed('pend00')} ${ed} signed=2023-11-14T22:13:20Z`],
])('the time of a signature counts %s', (_where, line) => {
  const signedAtSec = 1_699_999_999
  const old = { id: 'pend00', keys: ['ssh-ed25519 AAAA7'], signedAtSec, mayReplace: false }

  expect(mergeKnownHosts(`${line}\n`, [old])).toEqual({
    text: `${line}\n`,
    conflicts: [],
    outdated: [{ id: 'pend00', signedAtSec, knownAtSec: 1_700_000_000 }],
    replaced: [],
  })
})
