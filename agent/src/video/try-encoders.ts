import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@relay/common/clock'
import { UnavailableError } from '@relay/common/errors'
import {
  type EncoderCandidate,
  encoderCandidates,
  type PictureSize,
  v4l2Encoder,
} from './encoder-candidates.ts'
import { runTool, type ToolResult } from './run-tool.ts'

export interface TryOptions {
  /** Path of ffmpeg. */
  readonly ffmpeg: string
  readonly picture: PictureSize
  /** Length of the video that each encodes. */
  readonly videoMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Each result as it comes. */
  readonly onResult?: (result: EncoderTrial) => void
  /** Default /sys; given by tests. */
  readonly sysRoot?: string
}

export type EncoderTrial = { readonly candidate: EncoderCandidate } & (
  | {
      readonly outcome: 'measured'
      /** Processor time for each second of video: 0.25 is a quarter of one core. */
      readonly cores: number
      /** Seconds of video for each second, flat out. */
      readonly speed: number
    }
  /** One clause for people. */
  | { readonly outcome: 'failed' | 'skipped'; readonly reason: string }
)

const preparationTimeoutMs = 60_000
/** An encoder that takes longer than this for its video is of no use for a live one. */
const slowestFactor = 4
const shortestTimeoutMs = 20_000

/**
 * Lets every encoder that this board may have encode a short video as a camera gives it, and measures what it costs.
 * Decoding is part of it, as it is with a camera. One after another, each with a deadline.
 * @throws {UnavailableError} `ENCODER_TRIAL_FAILED` where not even the video to try with can be made.
 */
export async function tryEncoders(options: TryOptions): Promise<readonly EncoderTrial[]> {
  const directory = mkdtempSync(join(tmpdir(), 'relay-encoders-'))
  try {
    const camera = await prepare(options, join(directory, 'camera.avi'), ['-c:v', 'mjpeg', '-q:v', '5'])
    if (!camera.ok)
      throw new UnavailableError(
        'ENCODER_TRIAL_FAILED',
        `ffmpeg cannot make a video to try with: ${camera.reason}`,
      )
    const trials: EncoderTrial[] = []
    for (const candidate of encoderCandidates(options.picture)) {
      if (options.signal.aborted) break
      // One after another: two at a time would disturb each other.
      const trial = await tryOne(candidate, camera.file, directory, options)
      trials.push(trial)
      options.onResult?.(trial)
    }
    return trials
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

type Prepared = { readonly ok: true; readonly file: string } | { readonly ok: false; readonly reason: string }

/** Two seconds of a moving picture with the noise of a sensor, which costs more than a clean one. */
async function prepare(
  { ffmpeg, picture, clock, signal }: TryOptions,
  file: string,
  codec: readonly string[],
): Promise<Prepared> {
  const source = `testsrc2=size=${picture.size}:rate=${picture.framesPerSecond},noise=alls=6:allf=t,format=yuvj420p`
  const args = ['-f', 'lavfi', '-i', source, '-t', '2', ...codec, '-y', file]
  const result = await runTool(
    { file: ffmpeg, args: ['-hide_banner', '-nostdin', '-loglevel', 'error', ...args] },
    { timeoutMs: preparationTimeoutMs, clock, signal },
  )
  return result.outcome === 'ended' && result.exitCode === 0
    ? { ok: true, file }
    : { ok: false, reason: whatWentWrong(result) }
}

async function tryOne(
  candidate: EncoderCandidate,
  camera: string,
  directory: string,
  options: TryOptions,
): Promise<EncoderTrial> {
  const { hardware, needs, copies, before, codec } = candidate
  if (hardware.length > 0 && !hardware.some((path) => isThere(path, options.sysRoot ?? '/sys')))
    return { candidate, outcome: 'skipped', reason: `this machine does not have ${needs}` }
  let input = camera
  if (copies) {
    const encoded = await prepare(options, join(directory, 'camera.h264'), [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
    ])
    if (!encoded.ok)
      return {
        candidate,
        outcome: 'skipped',
        reason: 'there is no video to copy, as this ffmpeg lacks libx264',
      }
    input = encoded.file
  }
  const { ffmpeg, videoMs, clock, signal } = options
  const measured = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'info', '-benchmark', ...before]
  const played = ['-stream_loop', '-1', '-t', String(videoMs / 1000), '-i', input, '-an']
  const args = [...measured, ...played, ...codec, '-f', 'mpegts', 'pipe:1']
  const timeoutMs = Math.max(shortestTimeoutMs, videoMs * slowestFactor)
  const result = await runTool({ file: ffmpeg, args }, { timeoutMs, clock, signal })
  const used = result.outcome === 'ended' && result.exitCode === 0 ? benchmarkOf(result.stderr) : undefined
  if (used === undefined) return { candidate, outcome: 'failed', reason: whatWentWrong(result) }
  return {
    candidate,
    outcome: 'measured',
    cores: used.processorMs / videoMs,
    speed: videoMs / Math.max(1, used.realMs),
  }
}

/** What `-benchmark` tells at the end. */
function benchmarkOf(stderr: string): { readonly processorMs: number; readonly realMs: number } | undefined {
  const [, user, system, real] = /bench: utime=([\d.]+)s stime=([\d.]+)s rtime=([\d.]+)s/.exec(stderr) ?? []
  if (user === undefined || system === undefined || real === undefined) return undefined
  return { processorMs: (Number(user) + Number(system)) * 1000, realMs: Number(real) * 1000 }
}

function isThere(path: string, sysRoot: string): boolean {
  return path === v4l2Encoder ? hasV4l2Encoder(sysRoot) : existsSync(path)
}

function hasV4l2Encoder(sysRoot: string): boolean {
  const directory = join(sysRoot, 'class', 'video4linux')
  try {
    return readdirSync(directory).some((name) =>
      /enc/i.test(readFileSync(join(directory, name, 'name'), 'utf8')),
    )
  } catch {
    return false
  }
}

function whatWentWrong({ outcome, stderr }: ToolResult): string {
  if (outcome !== 'ended')
    return outcome === 'timed out' ? 'it is far slower than the video' : `ffmpeg was ${outcome}`
  const telling = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^(?:Stream|Input|Output|Metadata|Duration|encoder)\b/.test(line))
  const error = telling.find((line) =>
    /error|unknown|cannot|could not|failed|no such|not found|invalid/i.test(line),
  )
  return (error ?? telling.findLast((line) => line !== '') ?? 'ffmpeg said nothing').slice(0, 200)
}
