import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const sample = fileURLToPath(new URL('programs/sample-program.ts', import.meta.url))
const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzY29wZXMiOltdfQ.signature'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'journal-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** What a program writes into a file of which `JOURNAL_STREAM` says that it is the journal, or another one. */
async function written(command: string, { isJournal = true } = {}): Promise<string> {
  const file = join(directory, 'journal')
  const fd = openSync(file, 'w')
  const { dev, ino } = fstatSync(fd, { bigint: true })
  const child = spawn(process.execPath, [sample, command], {
    env: { JOURNAL_STREAM: isJournal ? `${dev}:${ino}` : `${dev}:${ino + 1n}`, SAMPLE_TOKEN: token },
    stdio: ['ignore', fd, fd],
  })
  await once(child, 'exit')
  closeSync(fd)
  return readFileSync(file, 'utf8')
}

test('a log that leads into the journal has the priority of each line, and its facts for people', async () => {
  expect(await written('log')).toBe(
    '<6>asked (token=(removed) request=POST (removed))\n' +
      '<4>refused (request={"authorization":"(removed)"})\n' +
      '<3>failed: no use: (removed)\n',
  )
})

test('a log that leads anywhere else is JSON', async () => {
  const lines = (await written('log', { isJournal: false })).trimEnd().split('\n')

  expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual([
    'info',
    'warn',
    'error',
  ])
})

test('what ends a program stands in the journal as an error', async () => {
  expect(await written('config')).toBe('<3>sample: the port is wrong\n')
  expect(await written('late-reject')).toBe('<3>late: the port is wrong\n')
  expect(await written('config', { isJournal: false })).toBe('sample: the port is wrong\n')
})
