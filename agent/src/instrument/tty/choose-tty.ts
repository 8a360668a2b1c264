import { type FoundTty, findAgain, type UsbIdentity } from './usb-identity.ts'

export interface TtyFacts {
  /** The name that is configured, such as `ttyACM0`. */
  readonly name: string
  /** There is a port of that name. */
  readonly isThere: boolean
  /** What was opened before; undefined before the first opening, and where that was no USB device. */
  readonly known: UsbIdentity | undefined
  /** Every USB serial port that is plugged in. */
  readonly ttys: readonly FoundTty[]
  /** For how long the known one has been away. */
  readonly awayMs: number
}

export type TtyChoice =
  | { readonly kind: 'open'; readonly name: string }
  | { readonly kind: 'missing' }
  /** Under the name is another device than before. */
  | { readonly kind: 'stranger' }

/**
 * A stranger under a name that the kernel deals out is not opened for so long: two boards that are plugged in again
 * with their hub may have changed names, and each must get its own commands only. After that it counts as exchanged.
 */
export const strangerAfterMs = 10_000

/** Which port to open: the device that was there before, under whatever name, else the name of the configuration. Pure. */
export function chooseTty({ name, isThere, known, ttys, awayMs }: TtyFacts): TtyChoice {
  const again = known === undefined ? undefined : findAgain(known, ttys)
  if (again !== undefined) return { kind: 'open', name: again.name }
  if (!isThere) return { kind: 'missing' }
  return known === undefined || awayMs >= strangerAfterMs ? { kind: 'open', name } : { kind: 'stranger' }
}
