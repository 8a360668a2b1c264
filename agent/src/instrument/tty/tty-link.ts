import { fstat } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Link, LinkEvents } from '../link.ts'
import { DrainWatch } from './drain-watch.ts'
import type { LineSettings, ResetSettings } from './line-settings.ts'
import { lockHolder } from './lock-holder.ts'
import { busyError, openError } from './open-error.ts'
import { drainTty, keepDtr } from './set-no-hang-up.ts'
import { openTtyBinding, type TtyBinding } from './tty-binding.ts'
import type { TtyPollers } from './tty-pollers.ts'
import { TtyPort } from './tty-port.ts'

export interface TtyLinkOptions {
  /** What is opened. */
  readonly path: string
  readonly line: LineSettings
  readonly reset: ResetSettings
  readonly clock: Clock
  /** Of this port, for all its openings. */
  readonly pollers: TtyPollers
  /** How long so many bytes may take to leave. */
  readonly writeWithinMs: (bytes: number) => number
  /** DTR cannot be kept when the port is closed: the next opening resets the board. */
  readonly onDtrNotKept: () => void
}

const fstatAsync = promisify(fstat)

/** A port whose plug is out may hold its descriptor for long: it is let go in the background then. */
const closeWithinMs = 2_000

/**
 * Opens a serial port.
 * @throws {AppError} `INSTRUMENT_MISSING`, `INSTRUMENT_BUSY`, `INSTRUMENT_FORBIDDEN`, `INSTRUMENT_NOT_SERIAL`,
 *   `INSTRUMENT_OPEN_FAILED`, `INSTRUMENT_DTR_FAILED`.
 */
export async function openTtyLink(
  options: TtyLinkOptions,
  events: LinkEvents,
  signal: AbortSignal,
): Promise<Link> {
  const { path, line, pollers, onDtrNotKept } = options
  const holder = await lockHolder(path)
  if (holder !== undefined) throw busyError(path, holder)
  let binding: TtyBinding
  try {
    binding = await openTtyBinding({ path, line, dropsDtr: false, pollers })
  } catch (cause) {
    throw openError(path, cause)
  }
  const opened = await realpath(path).catch(() => path)
  const link = new TtyLink({ binding, opened }, options, events)
  try {
    if (!(await keepDtr(binding.fd ?? -1))) onDtrNotKept()
    await link.reset(signal)
  } catch (error) {
    await link.close()
    throw error
  }
  return link
}

class TtyLink implements Link {
  readonly opened: string
  readonly #binding: TtyBinding
  readonly #options: TtyLinkOptions
  readonly #port: TtyPort
  readonly #drains: DrainWatch
  #isSettled: boolean
  #hasFailed = false
  #isStuck = false
  #closing: Promise<void> | undefined

  constructor(
    { binding, opened }: { readonly binding: TtyBinding; readonly opened: string },
    options: TtyLinkOptions,
    events: LinkEvents,
  ) {
    this.opened = opened
    this.#binding = binding
    this.#options = options
    this.#isSettled = options.reset.dtr !== 'pulse'
    this.#drains = new DrainWatch({
      clock: options.clock,
      drain: (signal) => drainTty(binding.fd ?? -1, signal),
      withinMs: options.writeWithinMs,
    })
    this.#port = new TtyPort(binding, {
      onData: (chunk) => {
        if (this.#isSettled) events.onData(chunk)
      },
      onFault: (cause) => {
        this.#hasFailed = true
        events.onClosed(lost(this.#options.path, 'went away (unplugged?)', cause))
      },
    })
  }

  /** Does to DTR what is wanted, and waits until the board has booted. */
  async reset(signal: AbortSignal): Promise<void> {
    const { clock, reset } = this.#options
    if (reset.dtr === 'pulse') {
      await this.#setDtr(false)
      await clock.sleep(reset.lowMs, signal)
    }
    if (reset.dtr === 'pulse' || reset.dtr === 'assert') await this.#setDtr(true)
    if (reset.dtr === 'pulse') await clock.sleep(reset.settleMs, signal)
    this.#isSettled = true
  }

  /** Until the kernel has it; whether the hardware takes it is seen by `check`. */
  async write(data: Buffer): Promise<void> {
    try {
      await this.#port.write(data)
      this.#drains.written(data.length)
    } catch (cause) {
      throw lost(this.#options.path, 'failed while it was written', cause)
    }
  }

  /** The kernel hangs up when a plug is pulled; a name that has gone or names another port is all that is seen else. */
  async check(): Promise<AppError | undefined> {
    const { fd } = this.#binding
    if (fd === null) return undefined
    if (this.#drains.isStuck()) {
      this.#isStuck = true
      return stuck(this.#options.path)
    }
    try {
      const [named, open] = await Promise.all([stat(this.#options.path), fstatAsync(fd)])
      return named.rdev === open.rdev ? undefined : lost(this.#options.path, 'is another port now')
    } catch (cause) {
      return lost(this.#options.path, 'has gone', cause)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const isStanding = this.#hasFailed || this.#isStuck || this.#port.isWriting
    this.#drains.stop()
    this.#port.close()
    const released = this.#release(isStanding)
    const waiting = new AbortController()
    await Promise.race([released, this.#options.clock.sleep(closeWithinMs, waiting.signal)])
    waiting.abort()
  }

  /** The kernel waits up to 30 s for output that stands still: it is thrown away before. */
  async #release(isStanding: boolean): Promise<void> {
    if (isStanding) await this.#binding.flush().catch(() => undefined)
    await this.#binding.close().catch(() => undefined)
  }

  async #setDtr(isOn: boolean): Promise<void> {
    try {
      // With flow control RTS is the kernel's.
      const rts = isOn || this.#options.line.rtscts
      await this.#binding.set({ dtr: isOn, rts, brk: false })
    } catch (cause) {
      throw new AppError(
        'INSTRUMENT_DTR_FAILED',
        `the DTR line of ${this.#options.path} cannot be set; a port without one needs "dtr: leave"`,
        { cause },
      )
    }
  }
}

function stuck(device: string): AppError {
  return new AppError(
    'INSTRUMENT_STUCK',
    `the instrument behind ${device} does not take the commands that were sent (hanging, or flow control?)`,
  )
}

function lost(device: string, what: string, cause?: unknown): AppError {
  return new AppError('INSTRUMENT_LOST', `the serial port ${device} ${what}`, { cause })
}
