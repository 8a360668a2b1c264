import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { PtyPair } from './pty-pair.ts'
import { openFiles, runInstrument, type RunInstrumentOptions } from './run-instrument.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serial-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  return directory
}

function newCable(directory = temporaryDirectory()): PtyPair {
  const cable = new PtyPair(directory)
  cleanUps.push(() => cable.unplug())
  return cable
}

function start(options: RunInstrumentOptions) {
  const running = runInstrument(options)
  cleanUps.push(running.stop)
  return running
}

/** Terminals, and what watches folders. */
const ours = /^\/dev\/pts\/|inotify/

describe('a plug with a bad contact', () => {
  test('a hundred times leaves nothing open, never opens twice at once, and ends with an instrument', async () => {
    const cable = newCable()
    await cable.plug()
    await cable.unplug()
    const { isOpen, instrument, stop, heard } = start({ device: cable.device })
    await eventually(() => instrument.status().fault?.code === 'INSTRUMENT_MISSING')
    const before = openFiles(/^\/dev\/pts\//).length
    let mostOpen = 0
    const counting = setInterval(() => {
      mostOpen = Math.max(mostOpen, openFiles(/^\/dev\/pts\//).length)
    }, 1)
    for (let round = 0; round < 100; round++) {
      await cable.plug()
      await new Promise((resolve) => setTimeout(resolve, round % 7 === 0 ? 150 : round % 5))
      await cable.unplug()
    }
    clearInterval(counting)
    await cable.plug()
    await isOpen()
    cable.say('alive\n')
    await eventually(() => heard.includes('text alive'))
    expect(instrument.status().reopens).toBeGreaterThan(10)
    // The end that the test keeps open, and ours.
    expect(mostOpen - before).toBeLessThanOrEqual(2)
    await stop()
    await cable.unplug()

    expect(openFiles(/^\/dev\/pts\//).length).toBe(before)
    expect(instrument.progress.overdueMs).toBe(0)
  }, 120_000)

  test('is back within two seconds after the plug is in again, however long it was out', async () => {
    const cable = newCable()
    const { isOpen, instrument } = start({ device: join(cable.device, '../serial/by-id/board') })
    const link = join(cable.device, '../serial/by-id/board')
    await eventually(() => instrument.status().reopens >= 4)

    await promisify(execFile)('mkdir', ['-p', join(link, '..')])
    await cable.plug()
    symlinkSync(cable.device, link)
    const pluggedAtMs = performance.now()
    await isOpen()

    expect(performance.now() - pluggedAtMs).toBeLessThan(2_000)
  })

  test('pulled out while it talks is noticed, and takes no processor time', async () => {
    for (let round = 0; round < 8; round++) {
      const device = join(temporaryDirectory(), 'loud')
      const socat = spawn('socat', [`PTY,link=${device},raw,echo=0`, 'SYSTEM:yes 0123456789'], {
        detached: true,
      })
      await eventually(() => existsSync(device))
      const { instrument, isOpen, show, stop } = start({ device, settings: 'endOfLineIn: lf' })
      await isOpen()
      await eventually(() => instrument.status().receivedMessages > 1_000, { show })
      const gone = once(socat, 'exit')
      process.kill(-(socat.pid ?? 0), 'SIGKILL')
      await gone

      await eventually(() => instrument.status().state !== 'open', { withinMs: 5_000, show })
      await stop()
    }
    const before = process.cpuUsage()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(150)
  }, 60_000)
})

describe('a name that means another port', () => {
  test('is followed, although the first port still looks open', async () => {
    const first = newCable()
    const second = newCable()
    await Promise.all([first.plug(), second.plug()])
    const link = join(temporaryDirectory(), 'by-id')
    symlinkSync(first.device, link)
    const { isOpen, instrument, heard, show } = start({ device: link })
    await isOpen()

    symlinkSync(second.device, `${link}.new`)
    renameSync(`${link}.new`, link)
    await eventually(() => instrument.status().renames === 1, { show })
    second.say('here\n')
    await eventually(() => heard.includes('text here'), { show })

    expect(openFiles(ours).filter((file) => file === instrument.status().opened)).toHaveLength(2)
  })

  test('that has gone is noticed, although the port still looks open', async () => {
    const cable = newCable()
    await cable.plug()
    const { isOpen, fails, lines } = start({ device: cable.device })
    await isOpen()

    rmSync(cable.device)

    await fails('INSTRUMENT_MISSING')
    expect(lines.some((line) => line.includes('has gone'))).toBe(true)
  })
})

test('an instrument that says nothing for too long is opened anew where that is wanted', async () => {
  const cable = newCable()
  await cable.plug()
  const { instrument, lines } = start({ device: cable.device, settings: 'silentAfter: 1500ms' })

  await eventually(() => instrument.status().reopens >= 2)

  expect(lines.some((line) => line.includes('INSTRUMENT_SILENT'))).toBe(true)
})

test('commands that leave are looked after and are no fault', async () => {
  const cable = newCable()
  await cable.plug()
  const { isOpen, instrument, command } = start({ device: cable.device, settings: 'writeWithin: 500ms' })
  await isOpen()
  for (let count = 0; count < 8; count++) {
    command('go')
    await new Promise((resolve) => setTimeout(resolve, 400))
  }

  expect(instrument.status()).toMatchObject({ state: 'open', reopens: 0, writtenMessages: 8 })
  expect(cable.received).toBe('go\n'.repeat(8))
})

/** A pty keeps these settings and does nothing with them; character size and parity it does not even keep. */
test('the port is set as it is configured, and closing it will not drop DTR', async () => {
  const cable = newCable()
  await cable.plug()
  await promisify(execFile)('stty', ['-F', cable.device, 'hupcl'])
  const { isOpen } = start({ device: cable.device, settings: 'stopBits: 2, rtscts: true, baudRate: 9600' })
  await isOpen()

  const { stdout } = await promisify(execFile)('stty', ['-F', cable.device, '-a'])

  expect(stdout).toMatch(/speed 9600 baud/)
  expect(stdout).toMatch(/ -hupcl /)
  expect(stdout).toMatch(/ cstopb /)
  expect(stdout).toMatch(/ crtscts/)
})

test('noise of a wrong baud rate is counted and harms nothing', async () => {
  const cable = newCable()
  await cable.plug()
  const { isOpen, heard, instrument } = start({ device: cable.device })
  await isOpen()

  cable.say(Buffer.from(Array.from({ length: 4_000 }, (_zero, index) => (index * 97 + 13) % 256)))
  cable.say('\nright\n')
  await eventually(() => heard.includes('text right'))

  expect(instrument.status().garbageBytes).toBeGreaterThan(1_000)
})
