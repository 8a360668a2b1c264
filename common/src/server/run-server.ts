import type { Clock } from '../clock.ts'
import type { Process } from '../command-line.ts'
import type { Log } from '../log.ts'
import { StatusTeller } from '../status-teller.ts'
import { Watchdog, type WatchedPart } from '../watchdog.ts'
import type { Notifier } from 'node-systemd-notify'

export interface RunServerOptions {
  readonly process: Pick<Process, 'signal' | 'onHangUp'>
  /** By when systemd wants a sign of life; undefined: it does not watch. */
  readonly watchdogIntervalMs: number | undefined
  readonly drainWithinMs: number
}

export interface RunServerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly notifier: Notifier
}

/** A server that has started. */
export interface RunnableServer {
  /** What owes progress to the watchdog. */
  readonly parts: readonly WatchedPart[]
  /** For people, one line. */
  statusLine(): string
  /** Reads secrets and key files now. Never rejects. */
  rereadKeys(): Promise<void>
  /** Drains, and frees everything. */
  stop(): Promise<void>
}

/** What ends after the drain takes less than this. */
const afterDrainMs = 5_000

/** Lets a server that has started run until the signal comes, and ends it; tells systemd all the while how it does. */
export async function runServer(
  server: RunnableServer,
  options: RunServerOptions,
  deps: RunServerDeps,
): Promise<void> {
  const { clock, log, notifier } = deps
  const { signal, onHangUp } = options.process
  const teller = new StatusTeller({ clock, notifier, line: () => server.statusLine() })
  const watchdog = new Watchdog({ intervalMs: options.watchdogIntervalMs, parts: () => server.parts }, deps)
  let orders = 0
  const rereadKeys = async (): Promise<void> => {
    notifier.reloading()
    // An order that comes meanwhile may be for a file that was read already.
    for (let done = 0; done < orders && !signal.aborted; ) {
      done = orders
      // It reports what cannot be read itself, and does not reject.
      await server.rereadKeys()
    }
    orders = 0
    if (signal.aborted) return
    log.info('keys were read anew')
    notifier.ready(teller.line())
  }
  onHangUp?.(() => {
    orders += 1
    if (orders === 1 && !signal.aborted) void rereadKeys()
  })
  notifier.ready(teller.line())
  const stopped = new AbortController()
  // It goes on while the server drains.
  const telling = teller.run(stopped.signal)
  await watchdog.run(signal)
  log.info('relay stopping')
  notifier.stopping()
  notifier.extendTimeout(options.drainWithinMs + afterDrainMs)
  await server.stop()
  stopped.abort()
  await telling
}
