import type { LineSettings } from './line-settings.ts'

/** Bits of `poll`, as libuv has them. */
export const readableEvent = 1
export const writableEvent = 2

/** What tells when the terminal can be read and written; a fault comes to both listeners. */
export interface TtyPoller {
  on(event: 'readable' | 'writable', listener: (error: Error | null) => void): unknown
  /** Replaces what is waited for. */
  poll(events: number): void
  /** To be called at the end: the library keeps each of its pollers for ever, with all that listens to it. */
  removeAllListeners(): unknown
}

/** The part of the library's port that we use: it sets the terminal up and works its lines; bytes we move ourselves. */
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
}

/**
 * Opens a terminal raw, non-blocking and locked (`flock`), with the library `serialport`, which is loaded only now.
 * Ports are never listed: the library would end the process where `udevadm` is missing.
 */
export async function openTtyBinding({ path, line, dropsDtr }: TtyOpening): Promise<TtyBinding> {
  const { SerialPort } = await import('./serial-port.ts')
  const port: unknown = await SerialPort.binding.open({ path, ...line, hupcl: dropsDtr, lock: true })
  return port as TtyBinding
}
