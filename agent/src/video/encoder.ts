import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import type { Progress } from '@relay/common/progress'
import { diagnoseEncoder } from './diagnose-encoder.ts'
import type { LastLines } from './last-lines.ts'

export interface EncoderCommand {
  /** Path or name of a program. */
  readonly file: string
  readonly args: readonly string[]
}

export interface EncoderOptions {
  readonly command: EncoderCommand
  /** For error texts; '' where there is none. */
  readonly device: string
  /** No byte for so long, after the first one: it is killed. */
  readonly stallAfterMs: number
  /** A camera needs a while to give its first picture. */
  readonly firstByteWithinMs: number
  readonly onStart: (pid: number) => void
  readonly onBytes: (chunk: Buffer) => void
  /** Where it writes thumbnails to file descriptor 3; undefined where it does not. */
  readonly onThumbnails: ((chunk: Buffer) => void) | undefined
  /** Asked twice a second: why it should be ended now, or undefined. */
  readonly shouldEnd: () => AppError | undefined
  readonly stderr: LastLines
  readonly clock: Clock
  /** Each step of its watch is promised. */
  readonly progress: Progress
  /** Signals a process group; a test gives one that fails as a hanging driver does. */
  readonly killGroup?: (leader: number, signal: 'SIGTERM' | 'SIGKILL') => void
}

type ExitFacts = readonly [exitCode: number | null, signal: NodeJS.Signals | null]

/** After SIGTERM it has so long to let go of the camera. */
const termGraceMs = 2_000
/** Only a driver that hangs keeps a process longer than this after SIGKILL. */
const killGraceMs = 4_000
/** When it is gone but a pipe of it is still open, somebody else holds the pipe. */
const pipeGraceMs = 500
const tickMs = 500
/** What a loaded machine may add to a wait of ours. */
export const slackMs = 20_000

const stuckText =
  'ffmpeg hangs within the driver of the camera and cannot be killed; pull the camera out and put it back'

/** SIGKILL did not end the encoder: it hangs within a driver. It may end later, when the device is reset or gone. */
export class EncoderStuckError extends AppError {
  readonly gone: Promise<unknown>
  constructor(pid: number, gone: Promise<unknown>) {
    super('ENCODER_STUCK', stuckText, { details: { pid } })
    this.gone = gone
  }
}

/**
 * Runs an encoder until it ends or `signal` aborts; then nothing of it is left.
 *
 * Invariants: it is the leader of its own process group, and the whole group is ended; it is told to stop by SIGTERM
 * and forced by SIGKILL; one that says nothing for too long is killed at once (a stopped or hung process does not
 * hear SIGTERM); it dies with us, by SIGKILL where the kernel can do that (`dieWithParent`), else by its next write.
 *
 * @throws {AppError} `ENCODER_STALLED`, `FFMPEG_MISSING`, `ENCODER_START_FAILED`, `ENCODER_STUCK`, what `shouldEnd`
 *   gave, or what `diagnoseEncoder` finds.
 */
export async function runEncoder(options: EncoderOptions, signal: AbortSignal): Promise<void> {
  const { command, clock, progress, onThumbnails, killGroup = signalGroup } = options
  const child = spawn(command.file, [...command.args], {
    stdio: ['ignore', 'pipe', 'pipe', onThumbnails === undefined ? 'ignore' : 'pipe'],
    detached: true,
  })
  const { pid } = child
  if (pid === undefined) throw await startError(child, command)
  child.on('error', () => undefined)
  options.onStart(pid)
  const kill = (name: 'SIGTERM' | 'SIGKILL'): void => killGroup(pid, name)
  const exited = exitOf(child)
  const pipesClosed = once(child, 'close')
  let lastByteAtMs: number | undefined
  child.stdout?.on('data', (chunk: Buffer) => {
    lastByteAtMs = clock.monotonicMs()
    options.onBytes(chunk)
  })
  child.stderr?.on('data', (chunk: Buffer) => options.stderr.push(chunk))
  const thumbnails = child.stdio[3]
  if (onThumbnails !== undefined) thumbnails?.on('data', onThumbnails)
  thumbnails?.on('error', () => undefined)

  const ending = new AbortController()
  const stop = (): void => {
    kill('SIGTERM')
    void clock.sleep(termGraceMs, ending.signal).then(() => {
      if (!ending.signal.aborted) kill('SIGKILL')
    })
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const startedAtMs = clock.monotonicMs()
  let reason: AppError | undefined
  const over = AbortSignal.any([signal, ending.signal])
  const watch = async (): Promise<'stuck' | undefined> => {
    while (!signal.aborted) {
      const deadlineMs =
        lastByteAtMs === undefined
          ? startedAtMs + options.firstByteWithinMs
          : lastByteAtMs + options.stallAfterMs
      const leftMs = deadlineMs - clock.monotonicMs()
      reason = leftMs <= 0 ? stalled(options, lastByteAtMs === undefined) : options.shouldEnd()
      if (reason !== undefined) break
      progress.promise(tickMs + slackMs)
      // Looks again in between: the first byte may come at once, and from then on the shorter deadline holds.
      await clock.sleep(Math.min(leftMs, tickMs), over)
      if (ending.signal.aborted) return undefined
    }
    if (!signal.aborted) kill('SIGKILL')
    const graceMs = termGraceMs + killGraceMs
    progress.promise(graceMs + pipeGraceMs + slackMs)
    await clock.sleep(graceMs, ending.signal)
    return ending.signal.aborted ? undefined : 'stuck'
  }
  const watched = async (): Promise<'stuck' | ExitFacts> => (await watch()) ?? (await exited)
  const outcome = await Promise.race([exited, watched()])
  ending.abort()
  signal.removeEventListener('abort', stop)
  // What it started goes with it; the group may be empty already.
  kill('SIGKILL')
  if (outcome !== 'stuck') await Promise.race([pipesClosed, clock.sleep(pipeGraceMs)])
  for (const pipe of child.stdio) pipe?.destroy()
  if (outcome === 'stuck') throw new EncoderStuckError(pid, exited)
  if (signal.aborted) return
  if (reason !== undefined) throw reason
  const [exitCode, exitSignal] = outcome
  throw diagnoseEncoder({
    exitCode,
    signal: exitSignal,
    stderrLines: options.stderr.lines,
    device: options.device,
  })
}

async function exitOf(child: ChildProcess): Promise<ExitFacts> {
  const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return [exitCode, signal]
}

function stalled(options: EncoderOptions, isFirst: boolean): AppError {
  const seconds = (isFirst ? options.firstByteWithinMs : options.stallAfterMs) / 1000
  const what = isFirst ? 'gave no picture' : 'stopped giving pictures'
  const last = options.stderr.lines.at(-1)
  return new AppError(
    'ENCODER_STALLED',
    `ffmpeg ${what} for ${seconds} s and was killed${last === undefined ? '' : `; it said: ${last}`}`,
    { details: { stderr: options.stderr.lines.slice(-5) } },
  )
}

async function startError(child: ChildProcess, { file }: EncoderCommand): Promise<AppError> {
  const [cause] = (await once(child, 'error').catch((error: unknown) => [error])) as [unknown]
  return errorCode(cause) === 'ENOENT'
    ? new AppError('FFMPEG_MISSING', `the program "${file}" is not installed`, { cause })
    : new AppError('ENCODER_START_FAILED', `the program "${file}" cannot be started`, { cause })
}

/** One that is gone already is no fault. */
function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-leader, signal)
  } catch (error) {
    if (errorCode(error) !== 'ESRCH' && errorCode(error) !== 'EPERM') throw error
  }
}
