import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { recordingPath, startRecording } from '../src/uplink/recording.ts'
import { capturedLog } from './captured-log.ts'
import { eventually } from './eventually.ts'

let root = ''
let directory = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'recording-'))
  directory = join(root, 'recordings')
  mkdirSync(join(directory, 'inner'), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true }))

describe('the place of a recording', () => {
  test.each(['out.ts', 'inner/out.ts', './out.ts', 'inner/../out.ts'])(
    '%s is inside the directory',
    (name) => {
      expect(recordingPath(name, directory)).toEqual({ ok: true, path: join(directory, name) })
    },
  )

  test('may be given as a whole path inside the directory', () => {
    expect(recordingPath(join(directory, 'out.ts'), directory).ok).toBe(true)
  })

  test.each(['../out.ts', '/etc/passwd', '..', '.', '', 'inner/../../out.ts', 'none/out.ts', 'a\0b'])(
    '%j is refused',
    (name) => {
      expect(recordingPath(name, directory).ok).toBe(false)
    },
  )

  test('a folder that leads out by a link is refused', () => {
    symlinkSync(root, join(directory, 'out'))

    expect(recordingPath('out/file', directory).ok).toBe(false)
  })

  test('without a directory nothing may be recorded', () => {
    expect(recordingPath('out.ts', '')).toMatchObject({ ok: false, refusal: /no directory/ })
  })

  test('a neighbour whose name begins alike is refused', () => {
    mkdirSync(`${directory}-other`)

    expect(recordingPath(`${directory}-other/file`, directory).ok).toBe(false)
  })
})

describe('a recording', () => {
  const { log } = capturedLog()

  test('empties the file and holds what was written, once it is closed', async () => {
    const path = join(directory, 'out')
    writeFileSync(path, 'what was there before')
    const recording = startRecording({ path, maxBytes: 1_000, log })
    recording.write(Buffer.from('one '))
    recording.write(Buffer.from('two'))
    await recording.close()

    expect(readFileSync(path, 'utf8')).toBe('one two')
  })

  test('ends at its limit, with whole messages, and says so', async () => {
    const path = join(directory, 'out')
    const { log: told, lines } = capturedLog()
    const recording = startRecording({ path, maxBytes: 10, log: told })
    for (const text of ['12345', '6789', 'abc', 'd']) recording.write(Buffer.from(text))
    await recording.close()

    expect(readFileSync(path, 'utf8')).toBe('123456789')
    expect(lines.filter((line) => line.includes('recording ended'))).toHaveLength(1)
  })

  test('does not follow a link in place of the file', async () => {
    const target = join(root, 'precious')
    writeFileSync(target, 'precious')
    const path = join(directory, 'out')
    symlinkSync(target, path)
    const { log: told, lines } = capturedLog()
    const recording = startRecording({ path, maxBytes: 1_000, log: told })
    recording.write(Buffer.from('x'))
    await eventually(() => lines.some((line) => line.includes('recording ended')))
    await recording.close()

    expect(readFileSync(target, 'utf8')).toBe('precious')
  })

  test('to a full or missing place ends with a line in the log and harms nobody', async () => {
    const { log: told, lines } = capturedLog()
    const recording = startRecording({ path: join(directory, 'none', 'out'), maxBytes: 1_000, log: told })
    recording.write(Buffer.from('x'))
    await eventually(() => lines.some((line) => line.includes('recording ended')))
    recording.write(Buffer.from('y'))
    await recording.close()

    expect(existsSync(join(directory, 'none'))).toBe(false)
  })
})
