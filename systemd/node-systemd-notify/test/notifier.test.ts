import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildAddon } from '../native/build-addon.ts'
import { createNotifier, type Notifier, type NotifyError } from '../src/notifier.ts'
import { receiveDatagrams } from './datagram-receiver.ts'

const headers = join(import.meta.dirname, `../../../node_modules/node-linux-${process.arch}/include/node`)
let directory: string
let prebuilds: readonly string[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'notify-'))
  await buildAddon({ architecture: process.arch as 'arm64' | 'x64', directory, headers })
  prebuilds = [directory]
})
afterAll(() => rm(directory, { recursive: true }))

function notifierTo(socket: string, faults: NotifyError[] = []): Notifier {
  return createNotifier({
    environment: { NOTIFY_SOCKET: socket },
    prebuilds,
    onFault: (error) => faults.push(error),
  })
}

test.each([
  ['a path', () => join(directory, 'path.socket')],
  ['an abstract name', () => `@notify-test-${process.pid}`],
])('systemd behind %s hears every message in order', async (_kind, address) => {
  await using receiver = await receiveDatagrams(address())
  const notifier = notifierTo(address())
  expect(notifier.kind).toBe('native')

  notifier.ready('one camera')
  notifier.status('two\ncameras')
  notifier.watchdog()
  notifier.extendTimeout(2_500)
  notifier.stopping()

  expect(await receiver.heard('STOPPING=1')).toEqual([
    'READY=1',
    'STATUS=one camera',
    'STATUS=two cameras',
    'WATCHDOG=1',
    'EXTEND_TIMEOUT_USEC=2500000',
    'STOPPING=1',
  ])
})

test('a reload carries the time of the clock that systemd compares it with', async () => {
  const socket = join(directory, 'reload.socket')
  await using receiver = await receiveDatagrams(socket)
  const before = monotonicUsec()

  notifierTo(socket).reloading()

  const lines = await receiver.heard(/^MONOTONIC_USEC=/)
  const stamp = Number(/^MONOTONIC_USEC=(\d+)$/m.exec(lines.join('\n'))?.[1])
  expect(lines[0]).toBe('RELOADING=1')
  expect(stamp).toBeGreaterThanOrEqual(before)
  expect(stamp).toBeLessThanOrEqual(monotonicUsec())
})

test('messages that systemd cannot take now arrive later and in order, and nothing waits for them', async () => {
  const socket = join(directory, 'full.socket')
  await using receiver = await receiveDatagrams(socket)
  const faults: NotifyError[] = []
  const notifier = notifierTo(socket, faults)
  receiver.pause()
  // The kernel keeps some messages of its own, and refuses when it has max_dgram_qlen of them.
  for (let count = 0; count < 2_000; count++) notifier.watchdog()
  notifier.status('first')
  notifier.status('second')

  receiver.resume()

  const lines = await receiver.heard('STATUS=second')
  expect(lines.filter((line) => line !== 'WATCHDOG=1')).toEqual(['STATUS=first', 'STATUS=second'])
  expect(lines.length).toBeLessThan(2_002)
  expect(faults).toEqual([])
})

test('a socket that is not there is told once, and harms nobody', () => {
  const faults: NotifyError[] = []
  const notifier = notifierTo(join(directory, 'missing.socket'), faults)

  notifier.ready()
  notifier.watchdog()

  expect(faults.map(({ code }) => code)).toEqual(['ENOENT'])
})

test('a name that is too long is told, not cut', () => {
  const faults: NotifyError[] = []

  notifierTo(`/${'x'.repeat(107)}`, faults).ready()

  expect(faults.map(({ code }) => code)).toEqual(['ENAMETOOLONG'])
})

test.each([
  ['', []],
  ['vsock:2:1234', ['EAFNOSUPPORT']],
  ['relative', ['EAFNOSUPPORT']],
])('with the address "%s" every call does nothing', (socket, codes) => {
  const faults: NotifyError[] = []
  const notifier = notifierTo(socket, faults)

  notifier.ready('x')
  notifier.stopping()

  expect(notifier.kind).toBe('none')
  expect(faults.map(({ code }) => code)).toEqual(codes)
})

const whyNoProgram = hasSystemdNotify() ? '' : ' (skipped: there is no program systemd-notify)'
test.skipIf(whyNoProgram !== '')(
  `without the add-on the program systemd-notify tells the same${whyNoProgram}`,
  async () => {
    const socket = join(directory, 'spawn.socket')
    await using receiver = await receiveDatagrams(socket)
    const notifier = createNotifier({ environment: { NOTIFY_SOCKET: socket }, prebuilds: [] })
    expect(notifier.kind).toBe('spawn')

    notifier.ready('one camera')

    // The program ends its message without a line break, so that the next line is not to be had.
    expect(await receiver.heard('READY=1')).toEqual(['READY=1'])
  },
)

test('an add-on of another machine is passed over', async () => {
  const folder = join(directory, 'foreign')
  await buildAddon({ architecture: process.arch as 'arm64' | 'x64', directory: folder, headers })
  await writeFile(join(folder, `linux-${process.arch}`, 'notify.node'), 'no library')

  const notifier = createNotifier({ environment: { NOTIFY_SOCKET: '/run/x' }, prebuilds: [folder] })

  expect(notifier.kind).toBe('spawn')
})

/** What another program reads from that clock, in microseconds. */
function monotonicUsec(): number {
  const program =
    'use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC); printf "%.0f", clock_gettime(CLOCK_MONOTONIC) * 1e6'
  return Number(execFileSync('perl', ['-e', program], { encoding: 'utf8' }))
}

function hasSystemdNotify(): boolean {
  try {
    execFileSync('systemd-notify', ['--version'])
    return true
  } catch {
    return false
  }
}
