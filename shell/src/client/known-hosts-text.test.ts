import { expect, test } from 'vitest'
import { mergeKnownHosts } from './known-hosts-text.ts'

const ed = 'ssh-ed25519 AAAA1'
const rsa = 'ssh-rsa AAAA2'

test('keys of a new experiment are added, and what others wrote stays', () => {
  const before = '# mine\n@cert-authority *.org ssh-rsa AAAA9\nother ssh-rsa AAAA3\n|1|hash|= ssh-rsa AAAA4\n'
  const merged = mergeKnownHosts(before, [{ id: 'pend00', keys: [ed, rsa], mayReplace: false }])

  expect(merged.text).toBe(`${before}pend00 ${ed}\npend00 ${rsa}\n`)
  expect(merged).toMatchObject({ conflicts: [], replaced: [] })
})

test.each([
  ['another key of the same type', ['ssh-ed25519 AAAA7']],
  ['a type that was not there', [ed, rsa]],
])('%s is a conflict, and the line stays', (_what, keys) => {
  const before = `pend00 ${ed} comment\n`

  expect(mergeKnownHosts(before, [{ id: 'pend00', keys, mayReplace: false }])).toEqual({
    text: before,
    conflicts: ['pend00'],
    replaced: [],
  })
  expect(mergeKnownHosts(before, [{ id: 'pend00', keys, mayReplace: true }])).toEqual({
    text: keys.map((key) => `pend00 ${key}\n`).join(''),
    conflicts: [],
    replaced: ['pend00'],
  })
})

test('the same keys again change nothing, and no keys take nothing away', () => {
  const before = `pend00 ${ed}\n`

  expect(mergeKnownHosts(before, [{ id: 'pend00', keys: [ed], mayReplace: false }]).text).toBe(before)
  expect(mergeKnownHosts(before, [{ id: 'pend00', keys: [], mayReplace: true }]).text).toBe(before)
})
