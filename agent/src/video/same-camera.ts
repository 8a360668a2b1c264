import { realpathSync } from 'node:fs'
import type { Finding } from '../check-config.ts'
import type { CameraConfig } from '../config.ts'
import { needsDevice } from './encoder-presets.ts'

/** Cameras that have two names and are one, as far as they are there now: two encoders cannot read one camera. */
export function findSameCameras(cameras: readonly CameraConfig[]): readonly Finding[] {
  const seen = new Map<string, number>()
  const findings: Finding[] = []
  for (const [index, { preset, device }] of cameras.entries()) {
    const file = needsDevice(preset) ? realPath(device) : undefined
    if (file === undefined) continue
    const earlier = seen.get(file)
    if (earlier === undefined) seen.set(file, index)
    else
      findings.push({
        pointer: `/cameras/${index}/device`,
        what: `${device} is the camera of cameras[${earlier}] by another name (${file}), and only one of them can have it`,
      })
  }
  return findings
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
