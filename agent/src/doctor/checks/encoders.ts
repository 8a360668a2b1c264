import type { CameraConfig } from '../../config.ts'
import type { EncoderPreset } from '../../video/encoder-presets.ts'
import { type Machine, outputOf } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

export interface EncoderFacts {
  readonly ffmpeg: string
  /** `7.1.1`; '' where it runs and does not tell; undefined where it is missing or does not run. */
  readonly version: string | undefined
  /** Names of the video encoders that it has; undefined where it does not list them. */
  readonly encoders: ReadonlySet<string> | undefined
  readonly cameras: readonly Pick<CameraConfig, 'name' | 'preset'>[]
  /** Nodes at which drivers of the Raspberry Pi and others offer their encoder. */
  readonly hasHardwareEncoder: boolean
  /** ffmpeg ends with the agent even where that is killed. */
  readonly hasSetpriv: boolean
}

/** What a preset needs of ffmpeg. */
const encoderOf: Readonly<Partial<Record<EncoderPreset, string>>> = {
  'mpeg1-compat': 'mpeg1video',
  'test-pattern': 'mpeg1video',
  'h264-v4l2m2m': 'h264_v4l2m2m',
  'x264-ultrafast': 'libx264',
}

export interface EncoderDeps {
  readonly machine: Machine
  readonly ffmpeg: string
}

export function encodersCheck(cameras: EncoderFacts['cameras'], { machine, ffmpeg }: EncoderDeps): Check {
  return {
    area: 'ffmpeg',
    look: async () => {
      const [version, encoders, setpriv, names] = await Promise.all([
        machine.run(ffmpeg, ['-hide_banner', '-version']),
        machine.run(ffmpeg, ['-hide_banner', '-encoders'], { maxOutputBytes: 262_144 }),
        machine.run('setpriv', ['--version']),
        machine.list('/sys/class/video4linux'),
      ])
      const drivers = await Promise.all(
        names.slice(0, 64).map((name) => machine.readText(`/sys/class/video4linux/${name}/name`)),
      )
      const said = outputOf(version)
      const list = outputOf(encoders)
      return judgeEncoders({
        ffmpeg,
        version: said === undefined ? undefined : (/^ffmpeg version (\S{1,40})/.exec(said)?.[1] ?? ''),
        encoders: list === undefined ? undefined : parseEncoders(list),
        cameras,
        hasHardwareEncoder: drivers.some((name) => /encode|codec|m2m/i.test(name ?? '')),
        hasSetpriv: setpriv.kind !== 'missing',
      })
    },
  }
}

/** Names of video encoders in what `ffmpeg -encoders` prints: ` V....D libx264   libx264 H.264 …`. Pure. */
export function parseEncoders(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^ V[A-Z.]{5} ([^\s=]\S{0,63})/gm)].map(([, name]) => name ?? ''))
}

/** Pure. */
export function judgeEncoders(facts: EncoderFacts): readonly Verdict[] {
  const { ffmpeg, version, encoders, cameras, hasHardwareEncoder, hasSetpriv } = facts
  if (version === undefined) {
    const install = '"apt install ffmpeg", or name its path in video.ffmpeg'
    return cameras.length === 0
      ? [warning(`${ffmpeg} is not installed or does not run; no camera is configured`, install)]
      : [problem(`${ffmpeg} is not installed or does not run: no camera can work`, install)]
  }
  const verdicts: Verdict[] = [ok(version === '' ? `${ffmpeg} runs` : `${ffmpeg} ${version} runs`)]
  if (encoders === undefined) verdicts.push(unknown('which encoders it has, it does not tell'))
  for (const { name, preset } of cameras) {
    const needed = encoderOf[preset]
    if (needed === undefined || encoders === undefined) continue
    if (!encoders.has(needed))
      verdicts.push(
        problem(
          `the camera ${name} needs the encoder ${needed} (preset ${preset}), which this ffmpeg does not have`,
          preset === 'h264-v4l2m2m'
            ? 'use the preset x264-ultrafast or mpeg1-compat'
            : 'install the ffmpeg of Debian: "apt install ffmpeg"',
        ),
      )
    else if (preset === 'h264-v4l2m2m' && !hasHardwareEncoder)
      verdicts.push(
        problem(
          `the camera ${name} needs an encoder of the board (preset ${preset}), and this board shows none`,
          'use the preset x264-ultrafast or mpeg1-compat; a Raspberry Pi 5 has no such encoder',
        ),
      )
    else verdicts.push(ok(`${name}: the encoder ${needed} is there`))
  }
  if (!hasSetpriv)
    verdicts.push(
      warning(
        'setpriv is missing: ffmpeg may outlive an agent that is killed and keep the camera',
        '"apt install util-linux"',
      ),
    )
  return verdicts
}
