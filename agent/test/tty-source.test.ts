import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@relay/common/clock'
import { silentLog } from '@relay/common/log'
import { afterEach, describe, expect, test } from 'vitest'
import { TtySource } from '../src/instrument/tty/tty-source.ts'
import { listUsbTtys, type TtyRoots } from '../src/instrument/tty/usb-identity.ts'
import { watchDevice } from '../src/instrument/tty/watch-device.ts'
import { eventually } from './eventually.ts'
import { isLetGo } from './is-let-go.ts'
import { PtyPair } from './pty-pair.ts'
import { runInstrument } from './run-instrument.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'source-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  return directory
}

async function pluggedCable(): Promise<PtyPair> {
  const cable = new PtyPair(temporaryDirectory())
  cleanUps.push(() => cable.unplug())
  await cable.plug()
  return cable
}

interface Board {
  readonly serial: string
  readonly socket: string
  readonly product?: string
}

/** A /dev and a /sys of their own, built as the kernel builds them, with ptys for ports. */
class FakeUsb {
  readonly roots: TtyRoots

  constructor(directory: string) {
    this.roots = { dev: join(directory, 'dev'), sys: join(directory, 'sys') }
    mkdirSync(this.roots.dev)
    mkdirSync(join(this.roots.sys, 'class/tty'), { recursive: true })
  }

  plug(name: string, { serial, socket, product = '8057' }: Board, port: string): void {
    const usb = join(this.roots.sys, 'devices/usb1', socket)
    const usbInterface = join(usb, `${socket}:1.0`)
    mkdirSync(join(usbInterface, 'tty', name), { recursive: true })
    const facts = { idVendor: '2341', idProduct: product, ...(serial === '' ? {} : { serial }) }
    for (const [file, text] of Object.entries(facts)) writeFileSync(join(usb, file), `${text}\n`)
    writeFileSync(join(usbInterface, 'bInterfaceNumber'), '00\n')
    symlinkSync(usbInterface, join(usbInterface, 'tty', name, 'device'))
    symlinkSync(join(usbInterface, 'tty', name), join(this.roots.sys, 'class/tty', name))
    symlinkSync(port, join(this.roots.dev, name))
  }

  unplug(name: string, { socket }: Board): void {
    rmSync(join(this.roots.dev, name))
    rmSync(join(this.roots.sys, 'class/tty', name))
    rmSync(join(this.roots.sys, 'devices/usb1', socket), { recursive: true })
  }
}

function runBoard(usb: FakeUsb, name: string) {
  const device = join(usb.roots.dev, name)
  const line = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false } as const
  const reset = { dtr: 'leave', lowMs: 0, settleMs: 0 } as const
  const source = new TtySource(
    { device, line, reset, writeGraceMs: 5_000 },
    { clock: systemClock, log: silentLog(), roots: usb.roots },
  )
  const running = runInstrument({ device, source })
  cleanUps.push(running.stop)
  return running
}

const first: Board = { serial: 'FIRST', socket: '1-1' }
const second: Board = { serial: 'SECOND', socket: '1-2' }

describe('a device given by a name that the kernel deals out', () => {
  test('is found again under another name, although another board has taken the old one', async () => {
    const usb = new FakeUsb(temporaryDirectory())
    const [cableOne, cableTwo, stranger] = await Promise.all([pluggedCable(), pluggedCable(), pluggedCable()])
    usb.plug('ttyACM0', first, cableOne.device)
    const { isOpen, instrument, heard, show } = runBoard(usb, 'ttyACM0')
    await isOpen()

    usb.unplug('ttyACM0', first)
    await cableOne.unplug()
    await eventually(() => instrument.status().state !== 'open', { show })
    usb.plug('ttyACM0', second, stranger.device)
    await eventually(() => instrument.status().fault?.message.includes('another device') === true, { show })
    usb.plug('ttyACM1', first, cableTwo.device)
    const pluggedAtMs = performance.now()
    await isOpen()
    expect(performance.now() - pluggedAtMs).toBeLessThan(2_000)
    cableTwo.say('here again\n')
    await eventually(() => heard.length > 0, { show })

    expect(heard).toEqual(['text here again'])
    expect(instrument.status()).toMatchObject({ opened: readlinkSync(cableTwo.device), renames: 1 })
  })

  test('is known by maker, product, serial number and socket', async () => {
    const usb = new FakeUsb(temporaryDirectory())
    const cable = await pluggedCable()
    usb.plug('ttyACM0', first, cable.device)
    usb.plug('ttyUSB3', { serial: '', socket: '2-1.4' }, cable.device)

    const ttys = await listUsbTtys(usb.roots)

    expect(ttys.toSorted((one, two) => one.name.localeCompare(two.name))).toEqual([
      {
        name: 'ttyACM0',
        identity: { vendor: '2341', product: '8057', serial: 'FIRST', port: '00.', socket: '1-1' },
      },
      {
        name: 'ttyUSB3',
        identity: { vendor: '2341', product: '8057', serial: '', port: '00.', socket: '2-1.4' },
      },
    ])
  })
})

test('a board that is touched is opened when it is back from its bootloader, under whatever name', async () => {
  const usb = new FakeUsb(temporaryDirectory())
  const [before, bootloader, after] = await Promise.all([pluggedCable(), pluggedCable(), pluggedCable()])
  usb.plug('ttyACM0', first, before.device)
  const touches: string[] = []
  const inBootloader: Board = { ...first, product: '0057' }
  const source = new TtySource(
    {
      device: join(usb.roots.dev, 'ttyACM0'),
      line: { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false },
      reset: { dtr: 'touch1200', lowMs: 0, settleMs: 0 },
      writeGraceMs: 5_000,
    },
    {
      clock: systemClock,
      log: silentLog(),
      roots: usb.roots,
      touch: (path) => {
        touches.push(path)
        usb.unplug('ttyACM0', first)
        setTimeout(() => usb.plug('ttyACM0', inBootloader, bootloader.device), 150)
        setTimeout(() => {
          usb.unplug('ttyACM0', inBootloader)
          usb.plug('ttyACM1', first, after.device)
        }, 600)
        return Promise.resolve()
      },
    },
  )
  const events = { onData: () => undefined, onClosed: () => undefined }
  const link = await source.open(events, new AbortController().signal, undefined)
  await link.close()
  expect(link.opened).toBe(readlinkSync(after.device))

  // Plugging in is a reset of its own; only a board that hangs is touched again.
  const again = await source.open(events, new AbortController().signal, undefined)
  await again.close()
  expect(touches).toEqual([join(usb.roots.dev, 'ttyACM0')])
})

describe('the folder of a device that is away is watched', () => {
  const watched = (path: string, isLike = (_name: string) => false) => {
    let wakes = 0
    const stop = watchDevice({ path, isLike, seesRights: false, wake: () => void (wakes += 1) })
    cleanUps.push(stop)
    return { wakes: () => wakes, stop }
  }

  test('and its coming wakes once', async () => {
    const directory = temporaryDirectory()
    const { wakes } = watched(join(directory, 'tty'))

    writeFileSync(join(directory, 'other'), '')
    writeFileSync(join(directory, 'tty'), '')
    await eventually(() => wakes() > 0)
    rmSync(join(directory, 'tty'))
    writeFileSync(join(directory, 'tty'), '')

    expect(wakes()).toBe(1)
  })

  test('also where the folder has to come first', async () => {
    const directory = temporaryDirectory()
    const { wakes } = watched(join(directory, 'serial/by-id/board'))

    mkdirSync(join(directory, 'serial/by-id'), { recursive: true })
    writeFileSync(join(directory, 'serial/by-id/board'), '')

    await eventually(() => wakes() > 0)
    expect(wakes()).toBe(1)
  })

  test('and a device that may be it under another name wakes too', async () => {
    const directory = temporaryDirectory()
    const { wakes } = watched(join(directory, 'ttyACM0'), (name) => name.startsWith('ttyACM'))

    writeFileSync(join(directory, 'ttyACM7'), '')

    await eventually(() => wakes() > 0)
    expect(wakes()).toBe(1)
  })
})

/** Gives what only the link held. */
async function openAndClose(device: string): Promise<WeakRef<object>> {
  const line = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false } as const
  const reset = { dtr: 'leave', lowMs: 0, settleMs: 0 } as const
  const source = new TtySource(
    { device, line, reset, writeGraceMs: 1_000 },
    { clock: systemClock, log: silentLog() },
  )
  const events = { onData: () => undefined, onClosed: () => undefined }
  const link = await source.open(events, new AbortController().signal, undefined)
  await link.close()
  return new WeakRef(events)
}

test('nothing of a port that was closed stays in memory', async () => {
  const { device } = await pluggedCable()
  const held = await openAndClose(device)

  expect(await isLetGo(held)).toBe(true)
})
