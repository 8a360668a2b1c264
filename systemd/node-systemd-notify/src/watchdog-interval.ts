/**
 * How often systemd must hear `watchdog()` at the latest, in milliseconds; undefined where it does not watch this
 * process. Call it more than twice in that time, as one may be lost (sd_watchdog_enabled(3)). Pure.
 */
export function watchdogIntervalMs(
  { WATCHDOG_USEC: usec = '', WATCHDOG_PID: pid = '' }: Readonly<Record<string, string | undefined>>,
  ownPid: number,
): number | undefined {
  if (pid !== '' && pid !== String(ownPid)) return undefined
  const intervalMs = /^\d{1,18}$/.test(usec) ? Number(usec) / 1_000 : 0
  return intervalMs > 0 ? intervalMs : undefined
}
