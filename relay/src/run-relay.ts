import type { Clock } from '@relay/common/clock'
import type { Process } from '@relay/common/command-line'
import type { Log } from '@relay/common/log'
import { StatusTeller } from '@relay/common/status-teller'
import { Watchdog } from '@relay/common/watchdog'
import type { Notifier } from 'node-systemd-notify'
import type { Relay } from './relay.ts'

export interface RunRelayOptions {
  readonly process: Pick<Process, 'signal' | 'onHangUp'>
  /** By when systemd wants a sign of life; undefined: it does not watch. */
  readonly watchdogIntervalMs: number | undefined
  readonly drainWithinMs: number
}

export interface RunRelayDeps {
  readonly clock: Clock
  readonly log: Log
  readonly notifier: Notifier
}

/** A relay that has started. */
export type RunnableRelay = Pick<Relay, 'parts' | 'statusLine' | 'rereadKeys' | 'stop'>

/** What ends after the drain takes less than this. */
const afterDrainMs = 5_000

/** Lets a relay that has started run until the signal comes, and ends it; tells systemd all the while how it does. */
export async function runRelay(
  relay: RunnableRelay,
  options: RunRelayOptions,
  deps: RunRelayDeps,
): Promise<void> {
  const { clock, log, notifier } = deps
  const { signal, onHangUp } = options.process
  const teller = new StatusTeller({ clock, notifier, line: () => relay.statusLine() })
  const watchdog = new Watchdog({ intervalMs: options.watchdogIntervalMs, parts: () => relay.parts }, deps)
  let orders = 0
  const rereadKeys = async (): Promise<void> => {
    notifier.reloading()
    // An order that comes meanwhile may be for a file that was read already.
    for (let done = 0; done < orders && !signal.aborted; ) {
      done = orders
      // It reports what cannot be read itself, and does not reject.
      await relay.rereadKeys()
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
  // It goes on while the relay drains.
  const telling = teller.run(stopped.signal)
  await watchdog.run(signal)
  log.info('relay stopping')
  notifier.stopping()
  notifier.extendTimeout(options.drainWithinMs + afterDrainMs)
  await relay.stop()
  stopped.abort()
  await telling
}
