import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@relay/common/clock'
import { describe, expect, test } from 'vitest'
import { siblingsOf, type UsbLocation, usbLocationOf } from '../src/video/usb-location.ts'
import { cyclePortPower, resetUsbDevice } from '../src/video/usb-recovery.ts'
import { cameraFixture, writeScript } from './camera-fixture.ts'
import { UsbTree } from './usb-tree.ts'

const { temporaryDirectory } = cameraFixture()
const { signal } = new AbortController()
const location: UsbLocation = { name: '1-1.4', busNumber: 1, deviceNumber: 7, hub: '1-1', port: 4 }

function deps(directory: string) {
  return { searchPath: `${directory}:/usr/bin:/bin`, clock: systemClock, signal }
}

describe('where a camera hangs on the USB', () => {
  test('is found from its name below /dev/v4l/by-id, with hub, port and what else hangs there', () => {
    const directory = temporaryDirectory()
    const tree = new UsbTree(directory)
    const { sysRoot } = tree
    const video = tree.plug('1-1.4', { bus: 1, device: 7 }, 'video0')
    tree.plug('1-1', { bus: 1, device: 2 })
    tree.plug('1-1.1', { bus: 1, device: 3 })
    tree.plug('1-1.2', { bus: 1, device: 5 }, 'ttyACM0')
    const byId = join(directory, 'dev', 'by-id')
    mkdirSync(byId)
    symlinkSync(video, join(byId, 'cam'))

    const found = usbLocationOf(join(byId, 'cam'), { sysRoot })

    expect(found).toEqual(location)
    expect(siblingsOf(location, { sysRoot }).toSorted()).toEqual(['1-1.1', '1-1.2'])
    expect(siblingsOf({ ...location, hub: '9-9' }, { sysRoot })).toEqual(['unknown ones'])
  })

  test('may be a port of the root hub, whose other half counts too', () => {
    const tree = new UsbTree(temporaryDirectory())
    const { sysRoot } = tree
    const video = tree.plug('1-3', { bus: 1, device: 2 }, 'video2')
    tree.plug('2-1', { bus: 2, device: 2 })
    tree.pair('usb1', 3, 'usb2')

    const found = usbLocationOf(video, { sysRoot })

    expect(found).toEqual({ name: '1-3', busNumber: 1, deviceNumber: 2, hub: '1', port: 3 })
    expect(found && siblingsOf(found, { sysRoot })).toEqual(['2-1'])
  })

  test('is found for a serial port as well', () => {
    const tree = new UsbTree(temporaryDirectory())
    const tty = tree.plug('3-2.1.4', { bus: 3, device: 11 }, 'ttyACM0')

    expect(usbLocationOf(tty, { sysRoot: tree.sysRoot })).toMatchObject({ hub: '3-2.1', port: 4 })
  })

  test('is nowhere for what is on no USB, is gone, or has no such number', () => {
    const directory = temporaryDirectory()
    const tree = new UsbTree(directory)
    const { sysRoot } = tree
    const video = tree.plug('1-1.4', { bus: 1, device: 7 }, 'video0')
    rmSync(join(sysRoot, 'bus/usb/devices/1-1.4/devnum'))

    expect(usbLocationOf(video, { sysRoot })).toBeUndefined()
    expect(usbLocationOf('/dev/null', { sysRoot })).toBeUndefined()
    expect(usbLocationOf('/dev/none', { sysRoot })).toBeUndefined()
  })
})

describe('a USB reset', () => {
  test('goes to the one device by bus and number', async () => {
    const directory = temporaryDirectory()
    writeScript(directory, 'usbreset', `echo "$@" > ${directory}/asked; echo "Resetting HD Webcam ... ok"`)

    expect(await resetUsbDevice(location, deps(directory))).toEqual({ ok: true })
    expect(readFileSync(join(directory, 'asked'), 'utf8')).toBe('001/007\n')
  })

  test('that is not permitted says so, though the program calls it a success', async () => {
    const directory = temporaryDirectory()
    writeScript(directory, 'usbreset', `echo "Resetting HD Webcam ... can't open [Permission denied]"`)

    const result = await resetUsbDevice(location, deps(directory))

    expect(result).toMatchObject({ ok: false, code: 'USB_RESET_FAILED' })
    expect(result.ok ? '' : result.reason).toContain('Permission denied')
    expect(result.ok ? '' : result.reason).toContain('/dev/bus/usb/001/007')
  })

  test('by the real program of a device that is not there fails', async () => {
    const result = await resetUsbDevice({ ...location, deviceNumber: 120 }, deps(temporaryDirectory()))

    expect(result).toMatchObject({ ok: false, code: 'USB_RESET_FAILED' })
  })

  test('without the program says what to install', async () => {
    const searchPath = temporaryDirectory()
    const result = await resetUsbDevice(location, { searchPath, clock: systemClock, signal })

    expect(result.ok ? '' : result.reason).toContain('apt install usbutils')
  })
})

describe('the power of a port', () => {
  const alone = { siblings: [], sharedHub: false }

  test('is switched off and on by uhubctl', async () => {
    const directory = temporaryDirectory()
    writeScript(directory, 'uhubctl', `echo "$@" > ${directory}/asked`)

    expect(await cyclePortPower(location, alone, deps(directory))).toEqual({ ok: true })
    expect(readFileSync(join(directory, 'asked'), 'utf8')).toBe('-l 1-1 -p 4 -a cycle -d 2\n')
  })

  test('is left alone where other devices hang on the hub, unless that is allowed', async () => {
    const directory = temporaryDirectory()
    writeScript(directory, 'uhubctl', `echo "$@" >> ${directory}/asked`)
    const siblings = ['1-1.1']

    const refused = await cyclePortPower(location, { siblings, sharedHub: false }, deps(directory))
    const allowed = await cyclePortPower(location, { siblings, sharedHub: true }, deps(directory))

    expect(refused).toMatchObject({ ok: false, code: 'PORT_POWER_FAILED' })
    expect(refused.ok ? '' : refused.reason).toContain('1-1.1')
    expect(allowed).toEqual({ ok: true })
    expect(readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n')).toHaveLength(1)
  })

  test('of a hub that cannot do it is told in its words', async () => {
    const directory = temporaryDirectory()
    writeScript(directory, 'uhubctl', `echo 'No compatible devices detected at location 1-1!' >&2; exit 1`)

    const result = await cyclePortPower(location, alone, deps(directory))

    expect(result.ok ? '' : result.reason).toBe(
      'uhubctl for port 4 of hub 1-1 said: No compatible devices detected at location 1-1!',
    )
  })
})
