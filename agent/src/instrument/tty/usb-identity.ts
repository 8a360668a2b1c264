import { readdir, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Where the kernel shows terminals; tests have their own. */
export interface TtyRoots {
  readonly dev: string
  readonly sys: string
}

export const systemRoots: TtyRoots = { dev: '/dev', sys: '/sys' }

/** What tells one USB serial port from all others, whatever name it gets. */
export interface UsbIdentity {
  readonly vendor: string
  readonly product: string
  /** '' where the maker gave none, as with most CH340. */
  readonly serial: string
  /** Which of several ports of one device. */
  readonly port: string
  /** The socket that it is plugged in, such as `1-1.4`. */
  readonly socket: string
}

/** How far above a terminal its USB device stands in the tree. */
const deepestParent = 8

/** The identity of a terminal by its name; undefined where it is no USB device, or has just gone. */
export async function usbIdentity(name: string, { sys }: TtyRoots): Promise<UsbIdentity | undefined> {
  try {
    let place = await realpath(join(sys, 'class/tty', name, 'device'))
    let usbInterface = ''
    let channel = ''
    for (let depth = 0; depth < deepestParent; depth++) {
      const [vendor, number, port] = await Promise.all(
        ['idVendor', 'bInterfaceNumber', 'port_number'].map((file) => fact(place, file)),
      )
      if (port !== undefined && port !== '') channel = port
      if (number !== undefined && number !== '') usbInterface = number
      if (vendor !== undefined && vendor !== '') {
        const [product = '', serial = ''] = await Promise.all([
          fact(place, 'idProduct'),
          fact(place, 'serial'),
        ])
        return { vendor, product, serial, port: `${usbInterface}.${channel}`, socket: basename(place) }
      }
      place = dirname(place)
    }
  } catch {
    // It went away while it was looked at.
  }
  return undefined
}

async function fact(directory: string, file: string): Promise<string | undefined> {
  return await readFile(join(directory, file), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  )
}

/** Names that the kernel deals out anew at each plugging in: `ttyACM0`, `ttyUSB3`. */
export function isUsbTtyName(name: string): boolean {
  return /^tty(?:ACM|USB)[0-9]+$/.test(name)
}

export interface FoundTty {
  readonly name: string
  readonly identity: UsbIdentity
}

/** Every USB serial port that is plugged in now. */
export async function listUsbTtys(roots: TtyRoots): Promise<readonly FoundTty[]> {
  const names = await readdir(join(roots.sys, 'class/tty')).catch(() => [])
  const found = await Promise.all(
    names
      .filter((name) => isUsbTtyName(name))
      .map(async (name): Promise<readonly FoundTty[]> => {
        const identity = await usbIdentity(name, roots)
        return identity === undefined ? [] : [{ name, identity }]
      }),
  )
  return found.flat()
}

/**
 * Which of the ports is the one that was known: the same maker, product, serial number and port of the device. Without
 * a serial number, or where several claim the same one, it must be in the same socket as well. Pure.
 */
export function findAgain(known: UsbIdentity, ttys: readonly FoundTty[]): FoundTty | undefined {
  const alike = ttys.filter(
    ({ identity }) =>
      identity.vendor === known.vendor &&
      identity.product === known.product &&
      identity.serial === known.serial &&
      identity.port === known.port,
  )
  const isTelling = known.serial !== '' && alike.length === 1
  return isTelling ? alike[0] : alike.find(({ identity }) => identity.socket === known.socket)
}
