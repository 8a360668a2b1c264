import { aborted, type Clock } from '@relay/common/clock'
import { AppError, describeError } from '@relay/common/errors'
import { keepConnected, type RetryPolicy } from '@relay/common/keep-connected'
import type { OwnedProcess, ProcessEnd } from './owned-process.ts'

/** A process of the laboratory: how to start it, and how to see that it works. */
export interface Part {
  readonly name: string
  start(): Promise<OwnedProcess>
  /** Resolves when it works. Its promise may stay open when the process ends: nobody waits for it then. */
  ready(signal: AbortSignal): Promise<void>
}

export interface PartDeps {
  readonly clock: Clock
  readonly random: () => number
  /** One line for the person before the screen. */
  readonly say: (line: string) => void
}

/** It never worked: the reason is in what it said last, and trying again would not help. */
export class PartFailedError extends AppError {
  override readonly permanent = true
}

const policy: RetryPolicy = { minMs: 250, maxMs: 10_000, stableAfterMs: 10_000 }
const readyWithinMs = 30_000
/** The relay takes up to 5 s to drain. */
const stopGraceMs = 7000
const toldLines = 5

/**
 * Runs a part until `signal` aborts: starts it, starts it again with backoff whenever it ends, stops it at the end with
 * everything it started. `onReady` is called once, when it works for the first time.
 * @throws {PartFailedError} when it does not come to work the first time.
 */
export async function runPart(
  part: Part,
  deps: PartDeps,
  signal: AbortSignal,
  onReady: () => void,
): Promise<void> {
  let hasWorked = false
  const runOnce = async (): Promise<void> => {
    const process = await part.start()
    try {
      await becomesReady(part, process, signal)
      if (signal.aborted) return
      if (hasWorked) deps.say(`${part.name}: runs again`)
      else onReady()
      hasWorked = true
      await Promise.race([process.ended, aborted(signal)])
      if (!signal.aborted) throw endedError(part.name, process, await process.ended)
    } finally {
      await process.stop(stopGraceMs)
    }
  }
  const runOrGiveUp = async (): Promise<void> => {
    try {
      await runOnce()
    } catch (error) {
      if (hasWorked || signal.aborted) throw error
      throw new PartFailedError('PART_FAILED', `${part.name} does not start: ${describeError(error)}`)
    }
  }
  const onRetry = ({ error, delayMs }: { readonly error: unknown; readonly delayMs: number }): void => {
    deps.say(`${describeError(error)}; it is started again in ${(delayMs / 1000).toFixed(1)} s`)
  }
  await keepConnected(runOrGiveUp, policy, { clock: deps.clock, random: deps.random, onRetry }, signal)
}

async function becomesReady(part: Part, process: OwnedProcess, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(readyWithinMs)
  const attempt = new AbortController()
  const stop = AbortSignal.any([signal, deadline, attempt.signal])
  try {
    const outcome = await Promise.race([
      part.ready(stop).then(() => 'ready' as const),
      process.ended,
      aborted(stop).then(() => 'too late' as const),
    ])
    if (signal.aborted || outcome === 'ready') return
    if (outcome === 'too late') {
      throw new AppError(
        'PART_SILENT',
        `it did not become ready within ${readyWithinMs / 1000} s${lastWords(process)}`,
      )
    }
    throw endedError(part.name, process, outcome)
  } finally {
    attempt.abort()
  }
}

function endedError(name: string, process: OwnedProcess, end: ProcessEnd): AppError {
  return new AppError('PART_ENDED', `${name} ended ${describeEnd(end)}${lastWords(process)}`)
}

/** How a process ended, in words that follow "it ended". Pure. */
export function describeEnd({ code, signal }: ProcessEnd): string {
  return signal === null ? `with exit code ${code ?? 'unknown'}` : `by ${signal}`
}

function lastWords(process: OwnedProcess): string {
  const lines = process.lastLines.slice(-toldLines)
  return lines.length === 0 ? '' : `; it said last:\n${lines.map((line) => `    ${line}`).join('\n')}\n `
}
