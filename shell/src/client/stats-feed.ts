import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import type { Environment } from '@relay/common/proxy'
import { dialLink } from '@relay/common/tunnel/dial-link'
import { deaf, type LinkEnd } from '@relay/common/tunnel/tunnel-link'
import { closeCode } from '@relay/common/tunnel/tunnel-protocol'
import { earlyEnd } from './client-fault.ts'
import type { SessionTarget } from './session-target.ts'
import { type Connection, parseStatsReport } from './stats-report.ts'

export interface StatsReport {
  /** As the relay sent it. */
  readonly text: string
  readonly connections: readonly Connection[]
}

export interface StatsFeedOptions {
  readonly target: Pick<SessionTarget, 'access' | 'token'>
  readonly environment: Environment
  readonly signal: AbortSignal
}

const dialWithinMs = 10_000
/** An old relay answers within a second, and may miss what is asked in the moment of the upgrade. */
const askEveryMs = 2_000
const reportWithinMs = 10_000

/**
 * Asks a relay, old or ours, again and again who is connected, and hands over each report. Resolves when `take` says
 * that it has enough, or `signal` aborts.
 * @throws {AppError} those of `dialLink`; `STATS_MISSING` where no report comes; the code of the relay's close.
 */
export async function followStats(
  { target, environment, signal }: StatsFeedOptions,
  take: (report: StatsReport) => 'enough' | 'more',
  clock: Clock,
): Promise<void> {
  const done = new AbortController()
  let fault: AppError | undefined
  let isReported = false
  const finish = (error?: AppError): void => {
    fault ??= error
    done.abort()
  }
  const link = await dialLink({
    ...target,
    environment,
    timeoutMs: dialWithinMs,
    signal,
    clock,
    isPlain: true,
    userAgent: 'relay-shell-status',
    receiver: {
      ...deaf,
      linkBytes: (data) => {
        const text = data.toString()
        const connections = parseStatsReport(text)
        if (connections === undefined || done.signal.aborted) return
        isReported = true
        if (take({ text, connections }) === 'enough') finish()
      },
      linkClosed: (end: LinkEnd) => finish(earlyEnd(end)),
    },
  })
  const stop = (): void => finish()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const startedAtMs = clock.monotonicMs()
  while (!done.signal.aborted) {
    link.sendText('{"cmd":"update"}')
    await clock.sleep(askEveryMs, done.signal)
    if (!isReported && clock.monotonicMs() - startedAtMs >= reportWithinMs)
      finish(new AppError('STATS_MISSING', `the relay told nothing within ${reportWithinMs / 1000} s`))
  }
  signal.removeEventListener('abort', stop)
  link.receiver = deaf
  link.close(closeCode.ended)
  await Promise.race([link.whenGone, clock.sleep(500)])
  link.terminate()
  if (fault !== undefined) throw fault
}
