import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
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
  readonly stderr: LastLines
  readonly clock: Clock
}

/** After SIGTERM it has so long to let go of the camera. */
const termGraceMs = 2_000
/** When it is gone but a pipe of it is still open, somebody else holds the pipe. */
const pipeGraceMs = 500

/**
 * Runs an encoder until it ends or `signal` aborts; then nothing of it is left.
 *
 * Invariants: it is the leader of its own process group, and the whole group is ended; it is told to stop by SIGTERM
 * and forced by SIGKILL; one that says nothing for too long is killed at once (a stopped or hung process does not
 * hear SIGTERM); it dies with us, by SIGKILL where the kernel can do that (`dieWithParent`), else by its next write.
 *
 * @throws {AppError} `ENCODER_STALLED`, `FFMPEG_MISSING`, `ENCODER_START_FAILED`, or what `diagnoseEncoder` finds.
 */
export async function runEncoder(options: EncoderOptions, signal: AbortSignal): Promise<void> {
  const { command, clock } = options
  const child = spawn(command.file, [...command.args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  if (child.pid === undefined) throw await startError(child, command)
  child.on('error', () => undefined)
  options.onStart(child.pid)
  const pipesClosed = once(child, 'close')
  let lastByteAtMs: number | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    lastByteAtMs = clock.monotonicMs()
    options.onBytes(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => options.stderr.push(chunk))

  const ending = new AbortController()
  const stop = (): void => {
    kill(child, 'SIGTERM')
    void clock.sleep(termGraceMs, ending.signal).then(() => {
      if (!ending.signal.aborted) kill(child, 'SIGKILL')
    })
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const startedAtMs = clock.monotonicMs()
  let hasStalled = false
  const watch = async (): Promise<void> => {
    for (;;) {
      const deadlineMs =
        lastByteAtMs === undefined
          ? startedAtMs + options.firstByteWithinMs
          : lastByteAtMs + options.stallAfterMs
      const leftMs = deadlineMs - clock.monotonicMs()
      if (leftMs <= 0) {
        hasStalled = true
        kill(child, 'SIGKILL')
        return
      }
      // Looks again in between: the first byte may come at once, and from then on the shorter deadline holds.
      await clock.sleep(Math.min(leftMs, options.stallAfterMs), ending.signal)
      if (ending.signal.aborted) return
    }
  }
  void watch()

  const [exitCode, exitSignal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  ending.abort()
  signal.removeEventListener('abort', stop)
  // What it started goes with it; the group may be empty already.
  kill(child, 'SIGKILL')
  await Promise.race([pipesClosed, clock.sleep(pipeGraceMs)])
  child.stdout.destroy()
  child.stderr.destroy()
  if (signal.aborted) return
  if (hasStalled) throw stalled(options, lastByteAtMs === undefined)
  throw diagnoseEncoder({
    exitCode,
    signal: exitSignal,
    stderrLines: options.stderr.lines,
    device: options.device,
  })
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

/** Signals the whole group; one that is gone already is no fault. */
function kill(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (errorCode(error) !== 'ESRCH' && errorCode(error) !== 'EPERM') throw error
  }
}
