import type { CameraConfig } from '../../config.ts'
import { type CameraFormat, describeFormats } from '../../video/camera-formats.ts'
import { needsDevice } from '../../video/encoder-presets.ts'
import { type FormatAnswer, listCameraFormats } from '../../video/list-camera-formats.ts'
import { gatherHolders, type Holder, strangers } from '../holders.ts'
import type { FileFacts, Machine } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import { mayUse, readWriteBits, type ServiceFacts, type ServiceUser, userPhrase } from '../service.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

type WantedCamera = Pick<CameraConfig, 'name' | 'preset' | 'device' | 'size' | 'framesPerSecond'>

export interface CameraFacts {
  readonly camera: WantedCamera
  readonly user: ServiceUser
  readonly file: FileFacts | undefined
  readonly holders: readonly Holder[]
  readonly formats: FormatAnswer
}

export interface CamerasFacts {
  readonly cameras: readonly CameraFacts[]
  /** What is connected, by names that do not change. */
  readonly connected: readonly string[]
  /** `/dev/video0`; not all of them are cameras. */
  readonly nodes: readonly string[]
}

export interface CameraDeps {
  readonly machine: Machine
  readonly service: () => Promise<ServiceFacts>
  /** Name or path of ffmpeg. */
  readonly ffmpeg: string
}

const stableNames = '/dev/v4l/by-id'

export function camerasCheck(cameras: readonly WantedCamera[], deps: CameraDeps): Check {
  return {
    area: 'cameras',
    look: async (signal) => judgeCameras(await gatherCameras(cameras, deps, signal)),
  }
}

async function gatherCameras(
  cameras: readonly WantedCamera[],
  { machine, service, ffmpeg }: CameraDeps,
  signal: AbortSignal,
): Promise<CamerasFacts> {
  const withDevice = cameras.filter(({ preset, device }) => needsDevice(preset) && device !== '')
  const reals = await Promise.all(
    withDevice.map(async ({ device }) => (await machine.realPath(device)) ?? device),
  )
  const [{ user }, names, devices, holders] = await Promise.all([
    service(),
    machine.list(stableNames),
    machine.list('/dev'),
    gatherHolders(machine, reals, signal),
  ])
  const facts = withDevice.map(async (camera, index): Promise<CameraFacts> => {
    const file = await machine.stat(camera.device)
    const formats: FormatAnswer =
      file === undefined
        ? { ok: false, reason: 'it is not there' }
        : await listCameraFormats(camera.device, { ffmpeg, searchPath: machine.environment.PATH, signal })
    return { camera, user, file, holders: holders.get(reals[index] ?? '') ?? [], formats }
  })
  return {
    cameras: await Promise.all(facts),
    connected: names.map((name) => `${stableNames}/${name}`),
    nodes: devices.filter((name) => /^video[0-9]+$/.test(name)).map((name) => `/dev/${name}`),
  }
}

const shownNames = 6

/** Pure. */
export function judgeCameras({ cameras, connected, nodes }: CamerasFacts): readonly Verdict[] {
  const listed = connected.slice(0, shownNames).join(', ')
  const there = connected.length === 0 ? 'no USB camera is connected' : `connected: ${listed}`
  if (cameras.length === 0) return [ok(`none is configured with a device; ${there}`)]
  return cameras.flatMap((facts) => judgeCamera(facts, { there, hasConnected: connected.length > 0, nodes }))
}

interface Surroundings {
  readonly there: string
  readonly hasConnected: boolean
  readonly nodes: readonly string[]
}

function judgeCamera(
  { camera, user, file, holders, formats }: CameraFacts,
  { there, hasConnected, nodes }: Surroundings,
): readonly Verdict[] {
  const { name, device } = camera
  if (file === undefined)
    return [
      problem(
        `the camera ${name}, ${device}, is not there; ${there}`,
        hasConnected
          ? 'put one of these names into the configuration, or plug the right camera in'
          : 'plug it in; try another cable, port or powered hub, and see "dmesg | tail" while you do',
      ),
    ]
  const verdicts: Verdict[] = []
  if (/^\/dev\/video[0-9]+$/.test(device))
    verdicts.push(
      warning(
        `${name}: ${device} is a name that changes when something else is plugged in first`,
        `use a name below ${stableNames}; ${there}`,
      ),
    )
  if (!mayUse(file, user, readWriteBits))
    verdicts.push(
      problem(
        `${name}: ${userPhrase(user)} may not use ${device}`,
        `"usermod -aG video ${user.name}", then restart the service`,
      ),
    )
  const others = strangers(holders)
  if (others !== undefined)
    verdicts.push(
      problem(
        `${name}: ${device} is used by ${others}`,
        'end it; old units for ffmpeg have to be disabled ("systemctl disable --now …")',
      ),
    )
  verdicts.push(judgeFormats(camera, formats, nodes))
  return verdicts
}

function judgeFormats(camera: WantedCamera, answer: FormatAnswer, nodes: readonly string[]): Verdict {
  const { name, device, preset, size } = camera
  if (!answer.ok)
    return unknown(
      `${name}: what ${device} offers cannot be asked: ${answer.reason}`,
      /Inappropriate|Not a video|not a video/.test(answer.reason) && nodes.length > 1
        ? 'many cameras have two names; the picture is at the one that ends in "index0"'
        : undefined,
    )
  const wanted =
    preset === 'h264-copy' ? answer.formats.filter((format) => format.name === 'h264') : answer.formats
  const offers = describeFormats(answer.formats)
  if (wanted.length === 0)
    return problem(
      `${name}: the preset ${preset} needs a camera that gives H.264, and this one gives ${offers}`,
      'use another preset, such as mpeg1-compat',
    )
  const fastest = fastestRate(wanted, size)
  if (fastest === undefined)
    return warning(
      `${name}: ${size} is not among what ${device} offers (${offers}); it will take the nearest and scale`,
      'set size to one of these',
    )
  if (fastest !== 0 && fastest < camera.framesPerSecond * 0.95)
    return warning(
      `${name}: ${device} gives ${size} with at most ${fastest} frames/s, and ${camera.framesPerSecond} are configured`,
      'use a smaller size, or set framesPerSecond to what it gives where the preset allows that',
    )
  return ok(`${name}: ${device} is there and offers ${size}`)
}

/** The most frames per second at a size; 0 where the tool does not tell; undefined where the size is not offered. */
function fastestRate(formats: readonly CameraFormat[], size: string): number | undefined {
  const offered = formats.flatMap(({ sizes }) => sizes)
  if (offered.length === 0) return 0
  const fitting = offered.filter(({ text }) => text === size || isWithin(size, text))
  if (fitting.length === 0) return undefined
  const rates = fitting.map(({ framesPerSecond: [fastest = 0] }) => fastest)
  return rates.includes(0) ? 0 : Math.max(...rates)
}

function isWithin(size: string, range: string): boolean {
  const [width = 0, height = 0] = size.split('x').map(Number)
  const [, minWidth, minHeight, maxWidth, maxHeight] = /^(\d+)x(\d+) to (\d+)x(\d+)$/.exec(range) ?? []
  return (
    minWidth !== undefined &&
    width >= Number(minWidth) &&
    width <= Number(maxWidth) &&
    height >= Number(minHeight) &&
    height <= Number(maxHeight)
  )
}
