import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@relay/common/clock'
import { FakeClock } from '@relay/common/fake-clock'
import { afterEach, describe, expect, test } from 'vitest'
import { formatLine, parseLine, type SessionEntry } from '../src/instrument/session/session-format.ts'
import { SessionRecorder } from '../src/instrument/session/session-recorder.ts'
import { capturedLog } from './captured-log.ts'
import { eventually } from './eventually.ts'
import { PtyPair } from './pty-pair.ts'
import { openFiles, runInstrument, type RunInstrumentOptions } from './run-instrument.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'session-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  return directory
}

function start(options: RunInstrumentOptions) {
  const running = runInstrument(options)
  cleanUps.push(running.stop)
  return running
}

function entriesOf(path: string): readonly SessionEntry[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const parsed = parseLine(line)
      if (!parsed.ok) throw new Error(`${parsed.refusal}: ${line}`)
      return parsed.entry
    })
}

function bytesOf(path: string, direction: 'in' | 'out'): Buffer {
  return Buffer.concat(
    entriesOf(path).flatMap((entry) =>
      entry.kind === 'data' && entry.direction === direction ? [entry.data] : [],
    ),
  )
}

function newRecorder(path: string, { maxBytes = 1_000_000, files = 1 } = {}) {
  const clock = new FakeClock()
  const { log, lines } = capturedLog()
  const recorder = new SessionRecorder(
    { path, maxBytes, files, instrument: 'board', device: '/dev/x' },
    { clock, log },
  )
  return { recorder, clock, lines }
}

test('what an instrument says and gets is recorded, and says it again when it is replayed', async () => {
  const directory = temporaryDirectory()
  const file = join(directory, 'board.jsonl')
  const cable = new PtyPair(directory)
  cleanUps.push(() => cable.unplug())
  await cable.plug()
  const recorded = start({ device: cable.device, settings: `recordFile: ${file}` })
  await recorded.isOpen()
  cable.say(Buffer.from([0x61, 0xff, 0x0a]))
  await eventually(() => recorded.heard.length === 1)
  recorded.command('go')
  await eventually(() => cable.received === 'go\n')
  await new Promise((resolve) => setTimeout(resolve, 300))
  cable.say('later\n')
  await eventually(() => recorded.heard.length === 2)
  await recorded.stop()

  expect(bytesOf(file, 'in')).toEqual(Buffer.from([0x61, 0xff, 0x0a, ...Buffer.from('later\n')]))
  expect(bytesOf(file, 'out').toString()).toBe('go\n')
  expect(entriesOf(file).flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []))).toEqual([
    'opened',
    'closed',
  ])

  const replayed = start({ device: `replay:${file}` })
  await eventually(() => replayed.heard.length === 1)
  const firstAtMs = performance.now()
  replayed.command('ignored')
  await eventually(() => replayed.heard.length === 2)

  expect(performance.now() - firstAtMs).toBeGreaterThan(200)
  expect(replayed.heard).toEqual(recorded.heard)
  expect(replayed.instrument.status()).toMatchObject({ state: 'open', opened: `replay:${file}`, reopens: 0 })
})

describe('a recording', () => {
  test('goes on in an older file when its own is full, and keeps only so many', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl')
    const { recorder, clock } = newRecorder(path, { maxBytes: 2_000, files: 3 })
    for (let count = 0; count < 20; count++) {
      recorder.data('in', Buffer.alloc(500, 'x'))
      await clock.advance(1_000)
      await eventually(() => recorder.status.writtenBytes > count * 500)
    }
    await recorder.close()

    const files = readdirSync(join(path, '..')).toSorted()
    expect(files).toEqual(['a.jsonl', 'a.jsonl.1', 'a.jsonl.2'])
    for (const file of files) {
      expect(statSync(join(path, '..', file)).size).toBeLessThanOrEqual(2_000)
      expect(entriesOf(join(path, '..', file))[0]?.kind).toBe('header')
      // Times begin anew with each file, or a replay would wait for days.
      expect(entriesOf(join(path, '..', file))[1]).toMatchObject({ kind: 'data', ms: 0 })
    }
    expect(recorder.status).toMatchObject({ state: 'recording', lostBytes: 0 })
  })

  test('of one file ends when it is full, and says so', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl')
    const { recorder, clock, lines } = newRecorder(path, { maxBytes: 1_000 })
    for (let count = 0; count < 5; count++) recorder.data('in', Buffer.alloc(300, 'x'))
    await clock.advance(200)
    await eventually(() => recorder.status.state === 'full')
    recorder.data('in', Buffer.alloc(300, 'x'))
    await recorder.close()

    expect(bytesOf(path, 'in').length).toBe(600)
    expect(recorder.status.lostBytes).toBe(1_200)
    expect(lines.some((line) => line.includes('recording is full'))).toBe(true)
  })

  test('goes on at the end of the file of an earlier run', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl')
    for (const text of ['one', 'two']) {
      const { recorder } = newRecorder(path)
      recorder.data('in', Buffer.from(text))
      await recorder.close()
    }

    expect(entriesOf(path).map(({ kind }) => kind)).toEqual(['header', 'data', 'header', 'data'])
    expect(bytesOf(path, 'in').toString()).toBe('onetwo')
  })

  test('goes on after a line that a power cut tore, and can be replayed', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl')
    for (const text of ['one\n', 'two\n']) {
      const { recorder } = newRecorder(path)
      recorder.data('in', Buffer.from(text))
      await recorder.close()
      if (text === 'one\n') appendFileSync(path, '{"ms":4,"in":"to')
    }
    const { heard } = start({ device: `replay:${path}?speed=1000` })
    await eventually(() => heard.length === 2)

    expect(heard).toEqual(['text one', 'text two'])
  })

  test('waits for nobody who might read a pipe in place of its file', async () => {
    const path = join(temporaryDirectory(), 'pipe')
    execFileSync('mkfifo', [path])
    const { recorder } = newRecorder(path)
    recorder.data('in', Buffer.from('x'))
    await recorder.close()

    expect(recorder.status.fault).toMatchObject({
      code: 'RECORDING_FAILED',
      message: `${path} is a pipe and no file`,
    })
  })

  test('on a full disk loses and counts, and disturbs nobody', async () => {
    const { recorder, clock, lines } = newRecorder('/dev/full')
    recorder.data('in', Buffer.from('lost'))
    await clock.advance(200)
    await eventually(() => recorder.status.state === 'failed')
    for (let count = 0; count < 100; count++) {
      recorder.data('in', Buffer.from('lost'))
      await clock.advance(200)
    }
    await eventually(() => recorder.status.lostBytes === 404)

    expect(recorder.status.fault?.code).toBe('ENOSPC')
    expect(lines.filter((line) => line.includes('recording failed'))).toHaveLength(1)
    await recorder.close()
    expect(openFiles(/^\/dev\/full/)).toEqual([])
  })

  test('begins again when the disk has room', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'later/a.jsonl')
    const { recorder, clock } = newRecorder(path)
    recorder.data('in', Buffer.from('lost'))
    await clock.advance(200)
    await eventually(() => recorder.status.state === 'failed')
    mkdirSync(join(directory, 'later'))

    await clock.advance(60_000)
    recorder.data('in', Buffer.from('kept'))
    await clock.advance(200)
    await eventually(() => recorder.status.state === 'recording')
    await recorder.close()

    expect(bytesOf(path, 'in').toString()).toBe('kept')
  })

  test('takes no more memory than a megabyte, whatever comes', async () => {
    const path = join(temporaryDirectory(), 'a.jsonl')
    const { recorder } = newRecorder(path, { maxBytes: 100_000_000 })
    for (let count = 0; count < 3_000; count++) recorder.data('in', Buffer.alloc(1_000, 'x'))
    expect(recorder.status.lostBytes).toBeGreaterThan(1_900_000)
    await recorder.close()

    expect(statSync(path).size).toBeLessThan(1_200_000)
  })

  test('follows no link in place of its file', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'target'), '')
    symlinkSync(join(directory, 'target'), join(directory, 'a.jsonl'))
    const { recorder } = newRecorder(join(directory, 'a.jsonl'))
    recorder.data('in', Buffer.from('x'))
    await recorder.close()

    expect(recorder.status.fault?.code).toBe('ELOOP')
    expect(statSync(join(directory, 'target')).size).toBe(0)
  })
})

describe('a replay', () => {
  const header = formatLine({ kind: 'header', startedAt: '', instrument: 'board', device: '/dev/x' })
  const says = (ms: number, text: string): string =>
    formatLine({ kind: 'data', ms, direction: 'in', data: Buffer.from(text) })

  function sessionFile(...lines: readonly string[]): string {
    const path = join(temporaryDirectory(), 'a b.jsonl')
    writeFileSync(path, lines.join(''))
    return path
  }

  test('may be faster, begin anew at the end, and go through several sessions of a file', async () => {
    const path = sessionFile(header, says(10_000, 'a\n'), header, says(20_000, 'b\n'))
    const startedAtMs = systemClock.monotonicMs()
    const { heard } = start({ device: `replay:${encodeURI(path)}?speed=100&loop=true` })
    await eventually(() => heard.length >= 4)

    expect(heard.slice(0, 4)).toEqual(['text a', 'text b', 'text a', 'text b'])
    // Twice 300 ms, and a pause of one second between.
    expect(systemClock.monotonicMs() - startedAtMs).toBeGreaterThan(1_400)
  })

  test.each([
    ['no file at all', '/none/a.jsonl', 'INSTRUMENT_MISSING', 'cannot be read'],
    ['a folder', '/proc', 'INSTRUMENT_REPLAY_WRONG', 'it is no file'],
  ])('of %s is told', async (_case, path, code, text) => {
    const { fails, instrument } = start({ device: `replay:${path}` })
    await fails(code)

    expect(instrument.status().fault?.message).toContain(text)
  })

  test.each([
    ['another file', ['hello\n'], 'line 1: it is no JSON'],
    ['a file without beginning', [says(1, 'a\n')], 'line 1 is not the beginning'],
    ['a later version', [header.replace('"version":1', '"version":2')], 'version is not 1'],
    ['a damaged line', [header, says(1, 'a\n'), '{"ms":\n'], 'line 3: it is no JSON'],
    ['a session in which nothing is said', [header], 'nothing that an instrument said'],
    [
      'another version in the middle',
      [header, says(1, 'a\n'), header.replace('"version":1', '"version":2'), header],
      'version is not 1',
    ],
    ['a torn line in the middle', [header, '{"ms":2,\n', says(1, 'a\n')], 'line 2: it is no JSON'],
    ['a line without end', [header, 'x'.repeat(1_100_000)], 'a line is too long'],
  ])('of %s is told', async (_case, lines, text) => {
    const { lines: logged } = start({ device: `replay:${encodeURI(sessionFile(...lines))}` })

    await eventually(() => logged.some((line) => line.includes('INSTRUMENT_REPLAY_WRONG')))
    expect(logged.some((line) => line.includes(text))).toBe(true)
  })
})
