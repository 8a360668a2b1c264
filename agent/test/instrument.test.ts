import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Clock, systemClock } from '@relay/common/clock'
import { FakeClock } from '@relay/common/fake-clock'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { PtyPair } from './pty-pair.ts'
import { openFiles, runInstrument } from './run-instrument.ts'

const terminals = /^\/dev\/pts\//
const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'serial-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  return directory
}

function newCable(): PtyPair {
  const cable = new PtyPair(temporaryDirectory())
  cleanUps.push(() => cable.unplug())
  return cable
}

function startInstrument(device: string, settings = '', clock: Clock = systemClock) {
  const running = runInstrument({ device, settings, clock })
  cleanUps.push(running.stop)
  return running
}

describe('an instrument behind a real serial port', () => {
  test('sends lines as text messages and gets commands as lines', async () => {
    const cable = newCable()
    await cable.plug()
    const { heard, command, isOpen, instrument } = startInstrument(cable.device)
    await isOpen()

    cable.say('{"angle":1.5}\r\n{"an')
    await eventually(() => heard.length === 1)
    cable.say('gle":2}\n')
    command('{"set":"mode"}')
    command('{"a":1}{"b":2}')
    await eventually(() => heard.length === 2 && cable.received.endsWith('{"b":2}\n'))

    expect(heard).toEqual(['text {"angle":1.5}', 'text {"angle":2}'])
    expect(cable.received).toBe('{"set":"mode"}\n{"a":1}\n{"b":2}\n')
    expect(instrument.status()).toMatchObject({ receivedMessages: 2, writtenMessages: 3, droppedCommands: 0 })
  })

  test('may want another end of its commands', async () => {
    const cable = newCable()
    await cable.plug()
    const { command, isOpen } = startInstrument(cable.device, 'endOfLineOut: crlf')
    await isOpen()

    command('*IDN?')

    await eventually(() => cable.received === '*IDN?\r\n')
    expect(cable.received).toBe('*IDN?\r\n')
  })

  test('may speak binary behind a length', async () => {
    const cable = newCable()
    await cable.plug()
    const { heard, command, isOpen } = startInstrument(cable.device, 'framing: length, lengthBytes: 1')
    await isOpen()

    cable.say(Buffer.from([3, 0x61, 0xff, 0x0a, 1, 0x62]))
    command('hi')
    await eventually(() => heard.length === 2 && cable.received.length === 3)

    expect(heard).toEqual(['binary a\u00ff\n', 'binary b'])
    expect(cable.received).toBe('\u0002hi')
  })

  test('may speak raw', async () => {
    const cable = newCable()
    await cable.plug()
    const { heard, command, isOpen } = startInstrument(cable.device, 'framing: raw')
    await isOpen()

    cable.say('ab')
    command('no line')
    await eventually(() => heard.length > 0 && cable.received === 'no line')

    expect(heard.map((message) => message.replace('binary ', '')).join('')).toBe('ab')
  })

  test('loses the rest of a line that is too long, and nothing of the next', async () => {
    const cable = newCable()
    await cable.plug()
    const { heard, isOpen, instrument } = startInstrument(cable.device, 'maxMessage: 8B')
    await isOpen()

    cable.say('123456789012345\nnext\n')
    await eventually(() => heard.length === 2)

    expect(heard).toEqual(['text 12345678', 'text next'])
    expect(instrument.status().cutLines).toBe(1)
  })
})

describe('a serial port that goes away', () => {
  test('is opened again when it is plugged in; commands of the meantime are dropped and counted', async () => {
    const cable = newCable()
    await cable.plug()
    const { heard, command, isOpen, fails, instrument, lines } = startInstrument(cable.device)
    await isOpen()
    cable.say('before\n')
    await eventually(() => heard.length === 1)

    await cable.unplug()
    await eventually(() => instrument.status().reopens > 0)
    await fails('INSTRUMENT_MISSING')
    command('old command')
    await cable.plug()
    const pluggedAtMs = performance.now()
    await isOpen()
    expect(performance.now() - pluggedAtMs).toBeLessThan(10_000)
    cable.say('after\n')
    command('new command')
    await eventually(() => heard.length === 2 && cable.received === 'new command\n')

    expect(heard).toEqual(['text before', 'text after'])
    expect(instrument.status()).toMatchObject({ droppedCommands: 1, fault: undefined })
    expect(lines.some((line) => line.includes('INSTRUMENT_LOST'))).toBe(true)
  })

  test('five times in a row leaves nothing open', async () => {
    const cable = newCable()
    const openBefore = openFiles(terminals).length
    await cable.plug()
    const { isOpen, instrument, stop } = startInstrument(cable.device)
    for (let round = 1; round <= 5; round++) {
      await isOpen()
      await cable.unplug()
      await eventually(() => instrument.status().state !== 'open')
      await cable.plug()
    }
    await isOpen()
    await stop()
    await cable.unplug()

    expect(instrument.status()).toMatchObject({ state: 'stopped' })
    expect(openFiles(terminals).length).toBe(openBefore)
  })
})

describe('a serial port that cannot be used', () => {
  test('because it is not there is told by name', async () => {
    const { instrument, fails } = startInstrument('/dev/serial/by-id/none')
    await fails('INSTRUMENT_MISSING')

    expect(instrument.status().fault?.message).toContain('/dev/serial/by-id/none is not there')
  })

  test('because another program has it is told, and it is taken when it is free', async () => {
    const cable = newCable()
    await cable.plug()
    const first = startInstrument(cable.device)
    await first.isOpen()
    const second = startInstrument(cable.device)
    await second.fails('INSTRUMENT_BUSY')
    expect(second.instrument.status().fault?.message).toContain(`process ${process.pid}`)

    await first.stop()
    await second.isOpen()

    expect(second.instrument.status().fault).toBeUndefined()
  })

  test('because another program has it leaves the line as that one has set it', async () => {
    const cable = newCable()
    await cable.plug()
    const first = startInstrument(cable.device, 'stopBits: 2, rtscts: true')
    await first.isOpen()
    const second = startInstrument(cable.device, 'stopBits: 1')
    await eventually(() => second.instrument.status().reopens >= 2)

    const { stdout } = await promisify(execFile)('stty', ['-F', cable.device, '-a'])

    expect(stdout).toMatch(/ cstopb /)
    expect(stdout).toMatch(/ crtscts/)
  })

  test('because it is a file is told', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    const { instrument, fails } = startInstrument(file)
    await fails('INSTRUMENT_NOT_SERIAL')

    expect(instrument.status().fault?.message).toBe(`${file} is not a serial port`)
  })

  test.each(['assert', 'pulse'])('because it has no DTR line to %s is told with what to do', async (dtr) => {
    const cable = newCable()
    await cable.plug()
    const { instrument, fails } = startInstrument(cable.device, `dtr: ${dtr}`)
    await fails('INSTRUMENT_DTR_FAILED')

    expect(instrument.status().fault?.message).toContain('dtr: leave')
  })
})

test('an instrument that takes nothing fills a bounded queue; the port is opened anew after the deadline', async () => {
  const cable = newCable()
  await cable.plug()
  const clock = new FakeClock()
  const { command, isOpen, instrument, fails } = startInstrument(cable.device, 'writeQueue: 4KiB', clock)
  await isOpen()
  cable.stopCarrying()
  // More than the kernel takes (some tens of KiB), until it has taken nothing for half a second.
  let sent = 0
  let still = 0
  for (
    let written = -1;
    still < 100;
    still = instrument.status().writtenMessages === written ? still + 1 : 0
  ) {
    written = instrument.status().writtenMessages
    for (let count = 0; count < 100; count++) command('x'.repeat(100))
    sent += 100
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const { writtenMessages, droppedCommands } = instrument.status()
  expect(droppedCommands).toBeGreaterThan(1_000)
  // 30 of 133 bytes fit in the queue, and one more is under way.
  expect(writtenMessages + droppedCommands).toBe(sent - 31)

  // Five seconds, and what the line itself needs.
  await clock.advance(5_100)
  await fails('INSTRUMENT_STUCK')
})
