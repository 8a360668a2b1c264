import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** A tree like `/sys`, and devices like those of `/dev`, in a directory of a test. */
export class UsbTree {
  readonly sysRoot: string
  readonly #root: string

  constructor(root: string) {
    this.#root = root
    this.sysRoot = join(root, 'sys')
  }

  /**
   * A device such as `1-1.4` below its hubs, with what the kernel tells of it. With a `node`, such as `video0` or
   * `ttyACM0`, it has an interface behind `/dev`.
   */
  plug(name: string, numbers: { readonly bus: number; readonly device: number }, node?: string): string {
    const directory = this.#directoryOf(name)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'busnum'), `${numbers.bus}\n`)
    writeFileSync(join(directory, 'devnum'), `${numbers.device}\n`)
    this.#link(join(this.sysRoot, 'bus/usb/devices', name), directory)
    if (node === undefined) return directory
    const kind = node.startsWith('video') ? 'video4linux' : 'tty'
    const usbInterface = join(directory, `${name}:1.0`)
    const classDirectory = join(usbInterface, kind, node)
    mkdirSync(classDirectory, { recursive: true })
    this.#link(join(classDirectory, 'device'), usbInterface)
    this.#link(join(this.sysRoot, 'class', kind, node), classDirectory)
    const path = join(this.#root, 'dev', node)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
    return path
  }

  /** The other half of a port of a USB 3 hub. */
  pair(hub: string, port: number, peerHub: string): void {
    const portOf = (name: string): string =>
      join(
        this.#directoryOf(name),
        `${name.replace('usb', '')}${name.startsWith('usb') ? '-0' : ''}:1.0`,
        `${name}-port${port}`,
      )
    mkdirSync(portOf(hub), { recursive: true })
    mkdirSync(portOf(peerHub), { recursive: true })
    this.#link(join(portOf(hub), 'peer'), portOf(peerHub))
  }

  #directoryOf(name: string): string {
    const controller = join(this.sysRoot, 'devices/platform/usb')
    if (name.startsWith('usb')) {
      const directory = join(controller, name)
      mkdirSync(directory, { recursive: true })
      this.#link(join(this.sysRoot, 'bus/usb/devices', name), directory)
      return directory
    }
    const [bus = '', ports = ''] = name.split('-')
    const path = ports.split('.')
    const above = path.slice(0, -1)
    const hub = above.length === 0 ? `usb${bus}` : `${bus}-${above.join('.')}`
    return join(this.#directoryOf(hub), name)
  }

  #link(from: string, to: string): void {
    mkdirSync(dirname(from), { recursive: true })
    try {
      symlinkSync(relative(dirname(from), to), from)
    } catch {
      // It was linked before.
    }
  }
}
