import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { RetryPolicy } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import type { Link, LinkEvents, LinkSource } from '../link.ts'
import { chooseTty, strangerAfterMs } from './choose-tty.ts'
import { type LineSettings, type ResetSettings, writeDeadlineMs } from './line-settings.ts'
import { touch1200 } from './touch-1200.ts'
import { openTtyLink } from './tty-link.ts'
import { TtyPollers } from './tty-pollers.ts'
import {
  isUsbTtyName,
  listUsbTtys,
  systemRoots,
  type TtyRoots,
  type UsbIdentity,
  usbIdentity,
} from './usb-identity.ts'
import { watchDevice } from './watch-device.ts'

export interface TtySettings {
  /** Better a name below /dev/serial/by-id than one that depends on the order of plugging in. */
  readonly device: string
  readonly line: LineSettings
  readonly reset: ResetSettings
  readonly writeGraceMs: number
}

export interface TtySourceDeps {
  readonly clock: Clock
  readonly log: Log
  readonly roots?: TtyRoots
  /** Ptys cannot be touched: tests give their own. */
  readonly touch?: typeof touch1200
}

/** A board that was touched goes within this time, if it does at all, ... */
const goneWithinMs = 2_000
/** ... and comes back within this one: the bootloader of a Leonardo waits for eight seconds. */
const backWithinMs = 15_000
const lookEveryMs = 100
const openingMs = 10_000
/** Faults after which the coming of the device, or of its rights, is worth another try at once. */
const mayCome: ReadonlySet<string> = new Set([
  'INSTRUMENT_MISSING',
  'INSTRUMENT_LOST',
  'INSTRUMENT_FORBIDDEN',
  'INSTRUMENT_OPEN_FAILED',
])

/**
 * A serial port that may go and come back, also under another name: links (below /dev/serial/by-id) are followed at
 * each opening; a name that the kernel deals out (/dev/ttyACM0) is the device that had it at the first opening.
 */
export class TtySource implements LinkSource {
  /** Looking for a port costs next to nothing, and what watches its folder wakes sooner still. */
  readonly retryPolicy: RetryPolicy = { minMs: 300, maxMs: 1_500, stableAfterMs: 10_000 }
  readonly openWithinMs: number
  readonly #settings: TtySettings
  readonly #deps: TtySourceDeps
  readonly #roots: TtyRoots
  readonly #pollers = new TtyPollers()
  /** Where the kernel's name may change. */
  readonly #isKernelName: boolean
  #known: UsbIdentity | undefined
  #awaySinceMs: number | undefined
  #wasTouched = false
  #hasToldDtr = false

  constructor(settings: TtySettings, deps: TtySourceDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#roots = deps.roots ?? systemRoots
    const { device, reset } = settings
    this.#isKernelName = dirname(device) === this.#roots.dev && isUsbTtyName(basename(device))
    const resetMs = { leave: 0, assert: 0, pulse: reset.lowMs, touch1200: goneWithinMs + backWithinMs }
    this.openWithinMs = openingMs + resetMs[reset.dtr] + reset.settleMs
  }

  async open(events: LinkEvents, signal: AbortSignal, after: AppError | undefined): Promise<Link> {
    const { line, reset } = this.#settings
    const { clock, log, touch = touch1200 } = this.#deps
    let path = await this.#locate()
    if (reset.dtr === 'touch1200' && this.#isTouchDue(after)) {
      await this.#learn(path)
      await touch(path, { clock, pollers: this.#pollers }, signal)
      this.#wasTouched = true
      path = await this.#afterTouch(path, signal)
    }
    const onDtrNotKept = (): void => {
      if (this.#hasToldDtr) return
      this.#hasToldDtr = true
      log.warn({ device: path }, 'DTR cannot be kept when the port is closed; opening it may reset the board')
    }
    const link = await openTtyLink(
      {
        path,
        line,
        reset,
        clock,
        pollers: this.#pollers,
        writeWithinMs: (bytes) => this.writeWithinMs(bytes),
        onDtrNotKept,
      },
      events,
      signal,
    )
    this.#awaySinceMs = undefined
    await this.#learn(path)
    return link
  }

  watch(wake: () => void, fault: AppError | undefined): () => void {
    if (!mayCome.has(fault?.code ?? '')) return () => undefined
    const isLike = (name: string): boolean => this.#known !== undefined && isUsbTtyName(name)
    const seesRights = fault?.code === 'INSTRUMENT_FORBIDDEN'
    return watchDevice({ path: this.#settings.device, isLike, seesRights, wake })
  }

  writeWithinMs(bytes: number): number {
    return writeDeadlineMs(bytes, this.#settings.line, this.#settings.writeGraceMs)
  }

  async #learn(path: string): Promise<void> {
    if (this.#isKernelName) this.#known = (await usbIdentity(basename(path), this.#roots)) ?? this.#known
  }

  /** The path to open now. */
  async #locate(): Promise<string> {
    const { device } = this.#settings
    if (!this.#isKernelName) return device
    const { clock } = this.#deps
    const nowMs = clock.monotonicMs()
    this.#awaySinceMs ??= nowMs
    const choice = chooseTty({
      name: basename(device),
      isThere: existsSync(device),
      known: this.#known,
      ttys: this.#known === undefined ? [] : await listUsbTtys(this.#roots),
      awayMs: nowMs - this.#awaySinceMs,
    })
    if (choice.kind === 'open') return join(this.#roots.dev, choice.name)
    if (choice.kind === 'missing') return device
    throw new AppError(
      'INSTRUMENT_MISSING',
      `under ${device} is another device than before; it is taken after ${strangerAfterMs / 1000} s if the known one does not come back; a name below /dev/serial/by-id does not change`,
    )
  }

  /** At the start, and when the board hangs; not after it was unplugged, which is a reset of its own. */
  #isTouchDue(after: AppError | undefined): boolean {
    return !this.#wasTouched || after?.code === 'INSTRUMENT_STUCK' || after?.code === 'INSTRUMENT_SILENT'
  }

  /** Waits until the board has gone and is back; a board that ignores the touch is used as it is. */
  async #afterTouch(path: string, signal: AbortSignal): Promise<string> {
    const { clock } = this.#deps
    const isOver = deadline(clock, goneWithinMs)
    while (existsSync(path)) {
      if (signal.aborted || isOver()) return path
      await clock.sleep(lookEveryMs, signal)
    }
    const isLate = deadline(clock, backWithinMs)
    while (!signal.aborted && !isLate()) {
      await clock.sleep(lookEveryMs, signal)
      // The bootloader is a stranger under the old name.
      const back = await this.#locate().catch(() => undefined)
      if (back !== undefined && existsSync(back)) return back
    }
    return this.#settings.device
  }
}

function deadline(clock: Clock, withinMs: number): () => boolean {
  const atMs = clock.monotonicMs() + withinMs
  return () => clock.monotonicMs() >= atMs
}
