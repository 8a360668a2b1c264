import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { EventEmitter } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import {
  readableEvent,
  type TtyBinding,
  type TtyPoller,
  writableEvent,
} from '../src/instrument/tty/tty-binding.ts'
import { TtyPort } from '../src/instrument/tty/tty-port.ts'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp()
})

/** Events come when the test says so. */
class ScriptedPoller extends EventEmitter implements TtyPoller {
  awaited = 0
  poll(events: number): void {
    this.awaited = events
  }
  stop(): void {
    this.awaited = 0
  }
}

/** A pipe in place of a terminal: what is written can be read, and it takes 64 KiB. */
function loopedPort() {
  const directory = mkdtempSync(join(tmpdir(), 'port-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'fifo')
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  cleanUps.push(() => closeSync(fd))
  const poller = new ScriptedPoller()
  const nothing = (): Promise<void> => Promise.resolve()
  const binding: TtyBinding = { fd, poller, set: nothing, flush: nothing, close: nothing }
  const chunks: Buffer[] = []
  const faults: Error[] = []
  const port = new TtyPort(binding, {
    onData: (chunk) => void chunks.push(chunk),
    onFault: (cause) => void faults.push(cause),
  })
  return { port, poller, chunks, faults }
}

test('reading goes on while a write waits for room', async () => {
  const { port, poller, chunks } = loopedPort()
  const written = port.write(Buffer.alloc(100_000, 'x'))
  expect(port.isWriting).toBe(true)
  expect(poller.awaited).toBe(readableEvent | writableEvent)

  poller.emit('readable', null)
  expect(chunks.map(({ length }) => length)).toEqual([65_536])
  poller.emit('writable', null)
  await written

  expect(port.isWriting).toBe(false)
  expect(poller.awaited).toBe(readableEvent)
})

test('what is read is the listener’s own', () => {
  const { port, poller, chunks } = loopedPort()
  void port.write(Buffer.from('first'))
  poller.emit('readable', null)
  void port.write(Buffer.from('other'))
  poller.emit('readable', null)

  expect(chunks.map(String)).toEqual(['first', 'other'])
})

test('an event without anything to read is no fault', () => {
  const { poller, chunks, faults } = loopedPort()
  poller.emit('readable', null)

  expect([chunks, faults]).toEqual([[], []])
})

test('a fault is told once, fails the write that waits, and ends everything', async () => {
  const { port, poller, faults } = loopedPort()
  const written = port.write(Buffer.alloc(100_000, 'x'))

  poller.emit('readable', new Error('bad file descriptor'))
  poller.emit('writable', new Error('bad file descriptor'))

  await expect(written).rejects.toThrow('bad file descriptor')
  expect(faults.map(({ message }) => message)).toEqual(['bad file descriptor'])
  await expect(port.write(Buffer.from('late'))).rejects.toThrow('cannot be written')
})

test('after it was closed nothing is told any more', async () => {
  const { port, poller, chunks, faults } = loopedPort()
  const written = port.write(Buffer.alloc(100_000, 'x'))

  port.close()
  poller.emit('readable', null)
  poller.emit('readable', new Error('canceled'))

  await expect(written).rejects.toThrow('closed')
  expect([chunks, faults]).toEqual([[], []])
})
