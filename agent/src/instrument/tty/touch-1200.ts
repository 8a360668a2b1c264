import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { lockHolder } from './lock-holder.ts'
import { busyError, openError } from './open-error.ts'
import { openTtyBinding, type TtyBinding } from './tty-binding.ts'
import type { TtyPollers } from './tty-pollers.ts'

export interface TouchDeps {
  readonly clock: Clock
  /** Of this port, for all its openings. */
  readonly pollers: TtyPollers
}

/** Boards look at the lines in their interrupt of USB: this is plenty. */
const holdMs = 100

/**
 * The 1200-baud touch: opens the port at 1200 baud, drops DTR and closes it. Boards with USB of their own (Leonardo,
 * Micro, SAMD, RP2040) then leave for their bootloader, and come back under the old or another name: those with a
 * Leonardo bootloader by themselves after eight seconds, others when something was loaded.
 * @throws {AppError} `INSTRUMENT_MISSING` and the like, `INSTRUMENT_DTR_FAILED`.
 */
export async function touch1200(
  path: string,
  { clock, pollers }: TouchDeps,
  signal: AbortSignal,
): Promise<void> {
  const holder = await lockHolder(path)
  if (holder !== undefined) throw busyError(path, holder)
  let binding: TtyBinding
  try {
    const line = { baudRate: 1200, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false } as const
    binding = await openTtyBinding({ path, line, dropsDtr: true, pollers })
  } catch (cause) {
    throw openError(path, cause)
  }
  try {
    await binding.set({ dtr: true, rts: true, brk: false })
    await clock.sleep(holdMs, signal)
    await binding.set({ dtr: false, rts: false, brk: false })
    await clock.sleep(holdMs, signal)
  } catch (cause) {
    throw new AppError(
      'INSTRUMENT_DTR_FAILED',
      `the DTR line of ${path} cannot be set: a port without one cannot be touched`,
      { cause },
    )
  } finally {
    await binding.close().catch(() => undefined)
  }
}
