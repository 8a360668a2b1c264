import { AppError, describeError } from '@relay/common/errors'
import type { LockHolder } from './lock-holder.ts'

/** Somebody has the port, and it is known who. Pure. */
export function busyError(device: string, { pid, program }: LockHolder): AppError {
  const who = program === '' ? `process ${pid}` : `${program}, process ${pid}`
  return new AppError('INSTRUMENT_BUSY', `the serial port ${device} is used by ${who}; end that first`)
}

/** What to tell a person about a terminal that cannot be opened; the library gives nothing but texts. Pure. */
export function openError(device: string, cause: unknown): AppError {
  const said = describeError(cause)
  if (/no such (?:file|device)/i.test(said)) {
    return new AppError(
      'INSTRUMENT_MISSING',
      `the serial port ${device} is not there; "ls /dev/serial/by-id" shows what is connected`,
    )
  }
  if (/lock port|busy|temporarily unavailable/i.test(said)) {
    return new AppError(
      'INSTRUMENT_BUSY',
      `the serial port ${device} is used by another program; "fuser ${device}" shows which, end that first`,
    )
  }
  if (/permission denied|not permitted/i.test(said)) {
    return new AppError(
      'INSTRUMENT_FORBIDDEN',
      `the serial port ${device} may not be used; add the user of the agent to the group "dialout"`,
    )
  }
  if (/inappropriate ioctl|is a directory/i.test(said)) {
    return new AppError('INSTRUMENT_NOT_SERIAL', `${device} is not a serial port`)
  }
  return new AppError('INSTRUMENT_OPEN_FAILED', `the serial port ${device} cannot be opened`, { cause })
}
