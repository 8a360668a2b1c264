import { expect, test } from 'vitest'
import { pidOfLock } from './lock-holder.ts'

const locks = `1: FLOCK  ADVISORY  WRITE 1234 00:05:677 0 EOF
1: -> FLOCK  ADVISORY  WRITE 99 00:05:678 0 EOF
2: POSIX  ADVISORY  WRITE 55 00:05:679 0 EOF
3: FLOCK  ADVISORY  WRITE 77 103:1a5:12 0 EOF
`

test.each([
  ['the file of the lock', { dev: 5, ino: 677 }, 1234],
  ['a file on a disk of many', { dev: 0x103 * 0x100 + 0xa5 + 0x100000, ino: 12 }, 77],
  ['a file that is only waited for', { dev: 5, ino: 678 }, undefined],
  ['a file with a lock of another kind', { dev: 5, ino: 679 }, undefined],
  ['another file', { dev: 5, ino: 1 }, undefined],
])('%s', (_case, file, pid) => {
  expect(pidOfLock(locks, file)).toBe(pid)
})

test('text that is something else has no locks', () => {
  expect(pidOfLock('', { dev: 5, ino: 677 })).toBeUndefined()
  expect(pidOfLock('FLOCK 00:05:677\n\n: : :', { dev: 5, ino: 677 })).toBeUndefined()
})
