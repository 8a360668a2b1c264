import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, UsageError } from '@relay/common/errors'

export interface DeviceKind {
  readonly option: string
  readonly noun: string
  /** Where such devices have names that do not change. */
  readonly namesIn: string
  /** Members of it may use such devices. */
  readonly group: string
}

export const cameraKind: DeviceKind = {
  option: '--camera',
  noun: 'camera',
  namesIn: '/dev/v4l/by-id',
  group: 'video',
}
export const serialKind: DeviceKind = {
  option: '--serial',
  noun: 'serial port',
  namesIn: '/dev/serial/by-id',
  group: 'dialout',
}

/**
 * Checks that a device can be used by us.
 * @throws {UsageError} saying what is there instead, or which group is needed.
 */
export async function checkDevice(path: string, kind: DeviceKind): Promise<void> {
  try {
    await access(path, constants.R_OK | constants.W_OK)
  } catch (cause) {
    if (errorCode(cause) === 'EACCES') {
      const cure = `put yourself into the group "${kind.group}" and log in again`
      throw new UsageError(`${kind.option} ${path}: you may not use it; ${cure}`)
    }
    const names = (await readdir(kind.namesIn).catch(() => [])).map((name) => join(kind.namesIn, name))
    const others = names.length === 0 ? `no ${kind.noun} is connected` : `connected: ${names.join(', ')}`
    throw new UsageError(`${kind.option} ${path}: there is no such ${kind.noun}; ${others}`)
  }
}
