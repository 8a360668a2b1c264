import type { Clock } from '@relay/common/clock'
import { AppError, describeError } from '@relay/common/errors'
import type { Paint } from './paint.ts'
import type { StatusReport } from './status-report.ts'
import { printable, statusSummary, statusText } from './status-text.ts'

export interface WatchOptions {
  /** Lines of JSON instead of text. */
  readonly json: boolean
  /** A terminal is drawn anew; anything else gets a line each time. */
  readonly isTerminal: boolean
  readonly paint: Paint
}

export interface WatchDeps {
  readonly clock: Clock
  readonly fetch: (signal: AbortSignal) => Promise<StatusReport>
  readonly write: (text: string) => void
}

const everyMs = 1_000
/** To the upper left corner; what was there before is covered line by line, so that nothing flickers. */
const home = '\u001b[H'
const restOfLine = '\u001b[K'
const restOfScreen = '\u001b[J'

/**
 * Shows the status each second until `signal` aborts. An agent that goes away is told of and asked again.
 * @throws {AppError} only what is permanent: another attempt could not help.
 */
export async function watchStatus(
  options: WatchOptions,
  { clock, fetch, write }: WatchDeps,
  signal: AbortSignal,
): Promise<void> {
  const { isTerminal, json } = options
  if (isTerminal && !json) write('\u001b[2J')
  while (!signal.aborted) {
    const startedAtMs = clock.monotonicMs()
    const text = await fetch(signal).then(
      (report) => (json ? `${JSON.stringify(report)}\n` : shown(report, options)),
      (error: unknown) => {
        if (!(error instanceof AppError) || error.permanent) throw error
        return signal.aborted ? '' : outage(error, clock.nowMs(), options)
      },
    )
    if (text !== '') write(isTerminal && !json ? redrawn(text) : text)
    await clock.sleep(Math.max(0, everyMs - (clock.monotonicMs() - startedAtMs)), signal)
  }
}

function shown(report: StatusReport, { isTerminal, paint }: WatchOptions): string {
  if (!isTerminal) return `${statusSummary(report)}\n`
  return `${statusText(report, paint)}\n${paint('every second; Ctrl-C ends', 'faint')}\n`
}

function outage(error: AppError, nowMs: number, { json, isTerminal, paint }: WatchOptions): string {
  const message = printable(describeError(error))
  const { code } = error
  if (json) return `${JSON.stringify({ format: 1, atMs: nowMs, error: { code, message } })}\n`
  if (!isTerminal) return `${new Date(nowMs).toISOString()} ${code}: ${message}\n`
  return `${paint(message, 'bad')}\n\n${paint('asked again every second; Ctrl-C ends', 'faint')}\n`
}

function redrawn(text: string): string {
  return `${home}${text.replaceAll('\n', `${restOfLine}\n`)}${restOfScreen}`
}
