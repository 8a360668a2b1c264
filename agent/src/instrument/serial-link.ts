import type { Clock } from '@relay/common/clock'
import { AppError, describeError } from '@relay/common/errors'

/** What happens to the DTR line, which resets many boards (Arduino) when it falls and rises. */
export type DtrPolicy = 'leave' | 'assert' | 'pulse'

export interface SerialSettings {
  /** Better a name below /dev/serial/by-id than one that depends on the order of plugging in. */
  readonly device: string
  readonly baudRate: number
  readonly dtr: DtrPolicy
  /** After `pulse` the board boots for so long; what it says meanwhile is left out. */
  readonly settleMs: number
}

export interface SerialEvents {
  readonly onData: (chunk: Buffer) => void
  /** Once, when the port is gone, whoever closed it. */
  readonly onClosed: (error: AppError) => void
}

/** An open serial port. It is used once: after a fault a new one is opened. */
export interface SerialLink {
  /** Resolves when the system has taken the bytes. */
  write(data: Buffer): Promise<void>
  close(): Promise<void>
}

/** Opens a port; tests give one with faults. */
export type OpenSerial = (
  settings: SerialSettings,
  events: SerialEvents,
  clock: Clock,
  signal: AbortSignal,
) => Promise<SerialLink>

/** How long DTR is held down by `pulse`; boards notice some milliseconds. */
const pulseMs = 250

/**
 * Opens a serial port with the `serialport` library, which is loaded only now. Ports are never listed: the library
 * would end the process where `udevadm` is missing.
 * @throws {AppError} `INSTRUMENT_MISSING`, `INSTRUMENT_BUSY`, `INSTRUMENT_FORBIDDEN`, `INSTRUMENT_NOT_SERIAL`,
 *   `INSTRUMENT_OPEN_FAILED`, `INSTRUMENT_DTR_FAILED`.
 */
export const openSerial: OpenSerial = async ({ device, baudRate, dtr, settleMs }, events, clock, signal) => {
  const { SerialPort } = await import('serialport')
  const port = new SerialPort({
    path: device,
    baudRate,
    autoOpen: false,
    // Closing must not drop DTR, or each restart of the agent would reset the board.
    hupcl: false,
  })
  await new Promise<void>((resolve, reject) => {
    port.open((error) => {
      if (error === null) resolve()
      else reject(openError(device, error))
    })
  })
  let isSettled = dtr !== 'pulse'
  let fault: AppError | undefined
  port.on('error', (cause: Error) => {
    fault ??= new AppError('INSTRUMENT_LOST', `the serial port ${device} failed`, { cause })
  })
  port.on('close', () => {
    events.onClosed(
      fault ?? new AppError('INSTRUMENT_LOST', `the serial port ${device} went away (unplugged?)`),
    )
  })
  port.on('data', (chunk: Buffer) => {
    if (isSettled) events.onData(chunk)
  })
  const link: SerialLink = {
    write: (data) =>
      new Promise((resolve, reject) => {
        port.write(data, (error) => {
          if (error === null || error === undefined) resolve()
          else reject(new AppError('INSTRUMENT_LOST', `writing to ${device} failed`, { cause: error }))
        })
      }),
    close: () =>
      new Promise((resolve) => {
        if (port.isOpen) port.close(() => resolve())
        else resolve()
      }),
  }
  const setDtr = (isOn: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      port.set({ dtr: isOn, rts: isOn }, (error) => {
        if (error === null || error === undefined) resolve()
        else reject(dtrError(device, error))
      })
    })
  try {
    if (dtr === 'pulse') {
      await setDtr(false)
      await clock.sleep(pulseMs, signal)
    }
    if (dtr !== 'leave') await setDtr(true)
    if (dtr === 'pulse') await clock.sleep(settleMs, signal)
  } catch (error) {
    await link.close()
    throw error
  }
  isSettled = true
  return link
}

function dtrError(device: string, cause: Error): AppError {
  return new AppError(
    'INSTRUMENT_DTR_FAILED',
    `the DTR line of ${device} cannot be set; a port without one needs "dtr: leave"`,
    { cause },
  )
}

function openError(device: string, cause: Error): AppError {
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
