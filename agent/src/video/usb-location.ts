import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Where a device hangs on the USB, as `/sys/bus/usb/devices` names it. */
export interface UsbLocation {
  /** `1-1.4`: bus 1, port 1, port 4. */
  readonly name: string
  readonly busNumber: number
  readonly deviceNumber: number
  /** The hub as uhubctl names it: `1-1`, or `1` for the root hub of bus 1. */
  readonly hub: string
  /** Its port of that hub. */
  readonly port: number
}

const deviceName = /^(\d{1,3})-(\d{1,3}(?:\.\d{1,3}){0,6})$/

/**
 * The USB device behind a camera or serial port; undefined where it is on no USB, or not there. `sysRoot` and `devRoot`
 * are given by tests.
 */
export function usbLocationOf(
  device: string,
  { sysRoot = '/sys' }: { readonly sysRoot?: string } = {},
): UsbLocation | undefined {
  try {
    const name = basename(realpathSync(device))
    const found = ['video4linux', 'tty']
      .map((kind) => tryRealPath(join(sysRoot, 'class', kind, name, 'device')))
      .find((path) => path !== undefined)
    const directory = found === undefined ? undefined : usbDirectory(found)
    return directory === undefined ? undefined : locationOf(directory)
  } catch {
    // Pulled out while we looked.
    return undefined
  }
}

function tryRealPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/** The interface of a device (`1-1.4:1.0`) stands below the device. */
function usbDirectory(path: string): string | undefined {
  let directory = path
  while (directory !== dirname(directory)) {
    if (deviceName.test(basename(directory))) return directory
    directory = dirname(directory)
  }
  return undefined
}

function locationOf(directory: string): UsbLocation | undefined {
  const name = basename(directory)
  const [, bus, ports] = deviceName.exec(name) ?? []
  if (bus === undefined || ports === undefined) return undefined
  const path = ports.split('.')
  const above = path.slice(0, -1)
  return {
    name,
    busNumber: readNumber(join(directory, 'busnum')),
    deviceNumber: readNumber(join(directory, 'devnum')),
    hub: above.length === 0 ? bus : `${bus}-${above.join('.')}`,
    port: Number(path.at(-1)),
  }
}

/**
 * Names of what else hangs on the hub of a device now, hubs below it and the other half of a USB 3 hub among them:
 * what may lose its power with it.
 */
export function siblingsOf(
  { name, hub, port }: UsbLocation,
  { sysRoot = '/sys' }: { readonly sysRoot?: string } = {},
): readonly string[] {
  const devices = join(sysRoot, 'bus', 'usb', 'devices')
  const isRoot = !hub.includes('-')
  const hubName = isRoot ? `usb${hub}` : hub
  const peer = tryRealPath(
    join(devices, hubName, isRoot ? `${hub}-0:1.0` : `${hub}:1.0`, `${hubName}-port${port}`, 'peer'),
  )
  const peerHub = peer === undefined ? undefined : dirname(dirname(peer))
  try {
    return [join(devices, hubName), ...(peerHub === undefined ? [] : [peerHub])]
      .flatMap((directory) => readdirSync(directory))
      .filter((other) => deviceName.test(other) && other !== name)
  } catch {
    // What cannot be seen may be there.
    return ['unknown ones']
  }
}

function readNumber(path: string): number {
  const text = readFileSync(path, 'utf8').trim()
  if (!/^\d{1,4}$/.test(text)) throw new RangeError(`${path} holds no number`)
  return Number(text)
}
