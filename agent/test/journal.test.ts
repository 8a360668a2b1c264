import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { journalWriter } from '@relay/common/journal'
import { LogStream } from '@relay/common/log-stream'
import { loadNativeSend } from 'node-systemd-notify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildAddon } from '../../systemd/node-systemd-notify/native/build-addon.ts'
import { receiveDatagrams } from '../../systemd/node-systemd-notify/test/datagram-receiver.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'journal-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('fields reach the socket of the journal, one datagram each, and wait while it has too much to do', async () => {
  const headers = join(import.meta.dirname, `../../node_modules/node-linux-${process.arch}/include/node`)
  await buildAddon({ architecture: process.arch as 'arm64' | 'x64', directory, headers })
  const send = loadNativeSend([directory])
  if (send === undefined) throw new Error('the add-on was built and cannot be loaded')
  const socket = join(directory, 'socket')
  await using journal = await receiveDatagrams(socket)
  const log = new LogStream({
    fd: -1,
    maxBufferedBytes: 1_048_576,
    onLost: () => undefined,
    write: journalWriter({ program: 'relay-agent', send, socket }),
  })
  journal.pause()
  const count = 1_000
  for (let index = 0; index < count; index++)
    log.write(`${JSON.stringify({ level: 'warn', camera: 'front', index, msg: 'camera failed' })}\n`)
  journal.resume()

  const lines = await journal.heard(`INDEX=${count - 1}`)

  const indexes = lines.filter((line) => line.startsWith('INDEX='))
  expect(indexes).toEqual(Array.from({ length: count }, (_none, index) => `INDEX=${index}`))
  expect(lines.slice(0, 5)).toEqual([
    'PRIORITY=4',
    'SYSLOG_IDENTIFIER=relay-agent',
    'MESSAGE=camera failed (camera=front index=0)',
    'CAMERA=front',
    'INDEX=0',
  ])
})

test('a line goes to the stream where the journal cannot be reached', () => {
  const file = join(directory, 'stdout')
  const fd = openSync(file, 'w')
  const write = journalWriter({ program: 'relay-agent', send: () => 2, socket: join(directory, 'none') })
  const line = '{"level":"error","msg":"x"}\n'

  expect(write(fd, Buffer.from(line + line))).toBe(2 * line.length)
  closeSync(fd)
  expect(readFileSync(file, 'utf8')).toBe('<3>x\n<3>x\n')
})
