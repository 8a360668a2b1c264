import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '@relay/common/fake-clock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fixedToken, readTokenFile, tokenFile } from '@relay/common/token-source'
import { eventually } from './eventually.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'token-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const path = (): string => join(directory, 'token')

describe('a token file', () => {
  test('gives its token without the end of the line', async () => {
    writeFileSync(path(), ' aa.bb.cc \n')

    expect(await readTokenFile(path())).toBe('aa.bb.cc')
  })

  test.each([
    ['empty', ''],
    ['two lines', 'aa.bb.cc\ndd.ee.ff\n'],
    ['not text', '\u0001\u0002'],
    ['a whole book', 'x'.repeat(20_000)],
  ])('that is %s is refused without showing it', async (_what, content) => {
    writeFileSync(path(), content)
    const reading = readTokenFile(path())

    await expect(reading).rejects.toMatchObject({ code: 'TOKEN_WRONG' })
    await expect(reading).rejects.not.toThrow(/aa\.bb|dd\.ee|xxxx/)
  })

  test('that is a pipe without a writer keeps nobody waiting', async () => {
    execFileSync('mkfifo', [path()])

    await expect(readTokenFile(path())).rejects.toMatchObject({ code: 'TOKEN_FILE_UNREADABLE' })
  })

  test('that is missing or a folder is told by name', async () => {
    await expect(readTokenFile(path())).rejects.toMatchObject({ code: 'TOKEN_FILE_MISSING' })
    await expect(readTokenFile(directory)).rejects.toMatchObject({ code: 'TOKEN_FILE_UNREADABLE' })
  })

  test.each([
    ['written over', (file: string) => writeFileSync(file, 'new')],
    [
      'replaced by another file',
      (file: string) => {
        writeFileSync(`${file}.new`, 'new')
        renameSync(`${file}.new`, file)
      },
    ],
  ])('that is %s is noticed', async (_how, change) => {
    writeFileSync(path(), 'old')
    const clock = new FakeClock()
    let isNoticed = false
    const watching = tokenFile(path(), clock)
      .whenChanged('old', new AbortController().signal)
      .then(() => {
        isNoticed = true
      })
    await eventually(() => clock.pending === 1)
    await clock.advance(2_000)
    expect(isNoticed).toBe(false)

    change(path())
    // A real disk answers in its own time.
    const looks = setInterval(() => void clock.advance(500), 5)
    await watching
    clearInterval(looks)

    expect(isNoticed).toBe(true)
  })

  test('that is away for a moment is no new token', async () => {
    writeFileSync(path(), 'old')
    const clock = new FakeClock()
    const controller = new AbortController()
    let isNoticed = false
    const watching = tokenFile(path(), clock)
      .whenChanged('old', controller.signal)
      .then(() => {
        isNoticed = true
      })
    rmSync(path())
    await clock.advance(2_000)
    await eventually(() => clock.pending === 1)
    expect(isNoticed).toBe(false)

    controller.abort()
    await watching
    expect(clock.pending).toBe(0)
  })
})

test('a fixed token stays, and cannot be one that no header takes', async () => {
  expect(await fixedToken('aa.bb.cc').read()).toBe('aa.bb.cc')
  await expect(fixedToken('a\r\nb').read()).rejects.toMatchObject({ code: 'TOKEN_WRONG' })
})
