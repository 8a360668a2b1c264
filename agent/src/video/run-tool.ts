import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Clock } from '@relay/common/clock'
import { errorCode } from '@relay/common/errors'

export interface ToolCommand {
  /** Path of a program. */
  readonly file: string
  readonly args: readonly string[]
}

export interface ToolLimits {
  /** After so long it is killed, with whatever it has started. */
  readonly timeoutMs: number
  /** Of stdout and of stderr; what comes after it is left out. Default 64 KiB. */
  readonly maxOutputBytes?: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** How a tool ended. A tool that failed is no exception: the caller has something else to do then. */
export interface ToolResult {
  readonly outcome: 'ended' | 'not started' | 'timed out' | 'aborted'
  /** Null unless it ended by itself. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A killed process whose driver hangs is not waited for longer than this. */
const killGraceMs = 1_000

/**
 * Runs a short-lived program, in a process group of its own and never through a shell, with bounds of time and output.
 * Never rejects.
 */
export async function runTool({ file, args }: ToolCommand, limits: ToolLimits): Promise<ToolResult> {
  const { timeoutMs, maxOutputBytes = 65_536, clock, signal } = limits
  if (signal.aborted) return { outcome: 'aborted', exitCode: null, stdout: '', stderr: '' }
  const child = start({ file, args })
  if (child === undefined) return { outcome: 'not started', exitCode: null, stdout: '', stderr: '' }
  const stdout = gather(child.stdout, maxOutputBytes)
  const stderr = gather(child.stderr, maxOutputBytes)
  const { pid } = child
  const kill = (): void => {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch (error) {
      if (errorCode(error) !== 'ESRCH' && errorCode(error) !== 'EPERM') throw error
    }
  }
  const over = new AbortController()
  const closed = new Promise<ToolResult['outcome']>((resolve) => {
    child.once('error', () => resolve('not started'))
    child.once('close', () => resolve('ended'))
  })
  const late = clock
    .sleep(timeoutMs, AbortSignal.any([signal, over.signal]))
    .then((): ToolResult['outcome'] => (signal.aborted ? 'aborted' : 'timed out'))
  const outcome = await Promise.race([closed, late])
  over.abort()
  // Whatever it has started ends with it.
  kill()
  if (outcome !== 'ended' && outcome !== 'not started') await Promise.race([closed, clock.sleep(killGraceMs)])
  child.stdout.destroy()
  child.stderr.destroy()
  return {
    outcome,
    exitCode: outcome === 'ended' ? child.exitCode : null,
    stdout: stdout(),
    stderr: stderr(),
  }
}

type Tool = ChildProcessByStdio<null, Readable, Readable>

/** Undefined where the system has no memory (then it throws), or no descriptors (then it has no pipes), for one more. */
function start({ file, args }: ToolCommand): Tool | undefined {
  try {
    const child = spawn(file, [...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const { stdout } = child as { readonly stdout: Readable | undefined }
    if (stdout !== undefined) return child
    child.once('error', () => undefined)
  } catch {
    // As for a program that is not there.
  }
  return undefined
}

function gather(stream: NodeJS.ReadableStream, maxBytes: number): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, maxBytes - bytes)
    if (kept.length === 0) return
    chunks.push(kept)
    bytes += kept.length
  })
  return () => Buffer.concat(chunks).toString('utf8')
}
