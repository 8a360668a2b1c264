import { asyncClose, asyncFlush, asyncOpen, asyncSet } from '@serialport/bindings-cpp/dist/load-bindings.js'
import { Poller } from '@serialport/bindings-cpp/dist/poller.js'
import type { TtyPoller } from './tty-binding.ts'

/** What the library wants to know at an opening. */
export interface OpenOptions {
  readonly baudRate: number
  readonly dataBits: number
  readonly stopBits: number
  readonly parity: string
  readonly rtscts: boolean
  readonly xon: boolean
  readonly xoff: boolean
  readonly xany: boolean
  /** Closing drops DTR. */
  readonly hupcl: boolean
  /** With `flock`. */
  readonly lock: boolean
  readonly vmin: number
  readonly vtime: number
}

/**
 * The parts of the library `serialport` that we use, for those who load it only when they need it. Its ports are left
 * out, as each makes a poller that is never freed (see `TtyPollers`). By this file and not by the library's own names:
 * a bundle in several parts finds names of a CommonJS library only where they are imported statically.
 */
export const serialPort = {
  /** Gives a descriptor that does not block. */
  open: asyncOpen as (path: string, options: OpenOptions) => Promise<number>,
  set: asyncSet as (
    fd: number,
    lines: { readonly dtr: boolean; readonly rts: boolean; readonly brk: boolean },
  ) => Promise<void>,
  flush: asyncFlush as (fd: number) => Promise<void>,
  close: asyncClose as (fd: number) => Promise<void>,
  poller: (fd: number): TtyPoller => new Poller(fd),
} as const
