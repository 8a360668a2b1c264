import type { LineSettings } from './line-settings.ts'
import type { serialPort } from './serial-port.ts'
import type { TtyPollers } from './tty-pollers.ts'

/** Bits of `poll`, as libuv has them. */
export const readableEvent = 1
export const writableEvent = 2

/** What tells when the terminal can be read and written; a fault comes to both listeners. */
export interface TtyPoller {
  on(event: 'readable' | 'writable', listener: (error: Error | null) => void): unknown
  /** Replaces what is waited for. */
  poll(events: number): void
  /** To be called at the end: a poller outlives its port (see `TtyPollers`), with all that listens to it. */
  removeAllListeners(): unknown
  /** Waits for nothing more. */
  stop(): void
}

/** A terminal that is set up, and its lines; its bytes are moved by `TtyPort`. */
export interface TtyBinding {
  readonly fd: number | null
  readonly poller: TtyPoller
  set(lines: { readonly dtr: boolean; readonly rts: boolean; readonly brk: boolean }): Promise<void>
  /** Throws away what has not left yet. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface TtyOpening {
  readonly path: string
  readonly line: LineSettings
  /** Closing drops DTR, where the system does so. */
  readonly dropsDtr: boolean
  /** Of this port, for all its openings. */
  readonly pollers: TtyPollers
}

/** Bytes one by one, as they come, and no flow control by bytes. */
const rawLine = { xon: false, xoff: false, xany: false, vmin: 1, vtime: 0 } as const

/**
 * Opens a terminal raw, non-blocking and locked (`flock`), with the library `serialport`, which is loaded only now.
 * Ports are never listed: the library would end the process where `udevadm` is missing.
 */
export async function openTtyBinding({ path, line, dropsDtr, pollers }: TtyOpening): Promise<TtyBinding> {
  const library = (await import('./serial-port.ts')).serialPort
  const fd = await library.open(path, { ...rawLine, ...line, hupcl: dropsDtr, lock: true })
  try {
    return new OpenTty(fd, pollers.of(fd, library.poller), library)
  } catch (error) {
    await library.close(fd)
    throw error
  }
}

class OpenTty implements TtyBinding {
  readonly poller: TtyPoller
  readonly #library: typeof serialPort
  #fd: number | null

  constructor(fd: number, poller: TtyPoller, library: typeof serialPort) {
    this.#fd = fd
    this.poller = poller
    this.#library = library
  }

  get fd(): number | null {
    return this.#fd
  }

  async set(lines: { readonly dtr: boolean; readonly rts: boolean; readonly brk: boolean }): Promise<void> {
    await this.#library.set(this.#openFd(), lines)
  }

  async flush(): Promise<void> {
    await this.#library.flush(this.#openFd())
  }

  async close(): Promise<void> {
    const fd = this.#openFd()
    this.#fd = null
    // Before the number is free for others.
    this.poller.stop()
    await this.#library.close(fd)
  }

  #openFd(): number {
    if (this.#fd === null) throw new Error('the port is not open')
    return this.#fd
  }
}
