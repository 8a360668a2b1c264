import { pid as ownPid } from 'node:process'
import { systemClock } from '@relay/common/clock'
import type { Process } from '@relay/common/command-line'
import { createLog } from '@relay/common/log'
import { ShellHost } from '@relay/common/shell-host/shell-host'
import { shellHostLine } from '@relay/common/shell-host/shell-host-line'
import { StatusTeller } from '@relay/common/status-teller'
import { fixedToken, tokenFile } from '@relay/common/token-source'
import { favourThroughput } from '@relay/common/tunnel/favour-throughput'
import { Watchdog } from '@relay/common/watchdog'
import { createNotifier, watchdogIntervalMs } from 'node-systemd-notify'
import type { HostConfig } from './host-config.ts'

/** Serves until the signal comes; tells systemd all the while how it does. */
export async function runHost(
  config: HostConfig,
  { environment, signal }: Pick<Process, 'environment' | 'signal'>,
): Promise<void> {
  const { options, token, tokenFile: path, logLevel } = config
  favourThroughput()
  const clock = systemClock
  const log = createLog({ program: 'shell', level: logLevel, journal: { environment } })
  const source = path === '' ? fixedToken(token) : tokenFile(path, clock)
  const host = new ShellHost(options, { clock, random: Math.random, log, environment, token: source })
  const notifier = createNotifier({
    environment,
    onFault: (error) => log.warn({ error }, 'systemd cannot be told how the shell host does'),
  })
  const teller = new StatusTeller({ clock, notifier, line: () => shellHostLine(host.status()) })
  const watchdog = new Watchdog(
    {
      intervalMs: watchdogIntervalMs(environment, ownPid),
      parts: () => [{ name: 'shell host', progress: host.progress }],
    },
    { clock, log, notifier },
  )
  signal.addEventListener('abort', () => notifier.stopping('ending sessions'), { once: true })
  notifier.ready(teller.line())
  await Promise.all([host.run(signal), teller.run(signal), watchdog.run(signal)])
}
