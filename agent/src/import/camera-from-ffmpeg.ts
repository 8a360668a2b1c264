import { mpeg1FrameRates } from '../video/encoder-presets.ts'
import type { OldPart } from './old-part.ts'

export interface PlannedCamera {
  readonly name: string
  readonly feed: string
  readonly preset: 'mpeg1-compat' | 'custom'
  /** '' with the preset custom. */
  readonly device: string
  readonly size: string | undefined
  readonly framesPerSecond: number | undefined
  readonly kilobitsPerSecond: number | undefined
  /** Of the preset custom. */
  readonly arguments: readonly string[]
}

/** Options of ffmpeg that change nothing here, with the number of their values. */
const withoutMeaning: Readonly<Record<string, number>> = {
  '-hide_banner': 0,
  '-nostdin': 0,
  '-nostats': 0,
  '-stats': 0,
  '-y': 0,
  '-re': 0,
  '-loglevel': 1,
  '-v': 1,
  '-fflags': 1,
  '-thread_queue_size': 1,
  '-muxdelay': 1,
  '-an': 0,
}

type Options = ReadonlyMap<string, string>

/**
 * The camera that an ffmpeg of an old device was: the preset of the fleet where it did just that, else its own arguments
 * as they are, so that the picture stays the same. Pure.
 */
export function cameraFromFfmpeg(part: Extract<OldPart, { kind: 'camera' }>, name: string): PlannedCamera {
  const { feed, input, output } = part
  return (
    presetCamera(part, name) ?? {
      name,
      feed,
      preset: 'custom',
      device: '',
      size: undefined,
      framesPerSecond: undefined,
      kilobitsPerSecond: undefined,
      arguments: [...input, ...output],
    }
  )
}

function presetCamera(
  { feed, input, output }: Extract<OldPart, { kind: 'camera' }>,
  name: string,
): PlannedCamera | undefined {
  const source = readOptions(input, ['-f', '-framerate', '-r', '-video_size', '-s', '-i'])
  const result = readOptions(output, ['-codec:v', '-c:v', '-vcodec', '-s', '-b:v', '-b', '-bf', '-r'])
  if (source === undefined || result === undefined || source.get('-f') !== 'v4l2') return undefined
  const codec = result.get('-codec:v') ?? result.get('-c:v') ?? result.get('-vcodec')
  if (codec !== 'mpeg1video' || (result.get('-bf') ?? '0') !== '0') return undefined
  const device = source.get('-i') ?? ''
  const size = result.get('-s') ?? source.get('-video_size') ?? source.get('-s')
  const rate = result.get('-r') ?? source.get('-framerate') ?? source.get('-r')
  const kilobits = kilobitsOf(result.get('-b:v') ?? result.get('-b'))
  const isFit =
    device.startsWith('/dev/') &&
    (size === undefined || /^[1-9][0-9]{1,3}x[1-9][0-9]{1,3}$/.test(size)) &&
    (rate === undefined || mpeg1FrameRates.includes(Number(rate))) &&
    kilobits !== undefined &&
    kilobits >= 32 &&
    kilobits <= 50_000
  if (!isFit) return undefined
  return {
    name,
    feed,
    preset: 'mpeg1-compat',
    device,
    size,
    framesPerSecond: rate === undefined ? undefined : Number(rate),
    kilobitsPerSecond: kilobits,
    arguments: [],
  }
}

/** Undefined where there is an option twice (two inputs), or one that is not among `known` and has a meaning. */
function readOptions(args: readonly string[], known: readonly string[]): Options | undefined {
  const options = new Map<string, string>()
  for (let at = 0; at < args.length; at += 1) {
    const name = args[at] ?? ''
    if (options.has(name)) return undefined
    if (known.includes(name)) {
      at += 1
      options.set(name, args[at] ?? '')
    } else if (Object.hasOwn(withoutMeaning, name)) at += withoutMeaning[name] ?? 0
    else return undefined
  }
  return options
}

/** `1000k`, `1M` or plain bits. */
function kilobitsOf(text: string | undefined): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([kKmM]?)$/.exec(text ?? '') ?? []
  if (amount === undefined) return undefined
  const bits = Number(amount) * (/k/i.test(unit) ? 1000 : /m/i.test(unit) ? 1_000_000 : 1)
  return Math.round(bits / 1000)
}
