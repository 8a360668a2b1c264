/** Go's text for a duration: `1.5s`, `2m3.1s`, `1h0m0s`, `250ms` (as `time.Duration` prints itself). Pure. */
export function goDuration(ms: number): string {
  const ns = Math.round(Math.max(0, ms) * 1e6)
  if (ns === 0) return '0s'
  if (ns < 1000) return `${ns}ns`
  if (ns < 1_000_000) return `${decimal(ns, 1000)}µs`
  if (ns < 1_000_000_000) return `${decimal(ns, 1_000_000)}ms`
  const totalSec = Math.floor(ns / 1e9)
  const hours = Math.floor(totalSec / 3600)
  const minutes = Math.floor(totalSec / 60) % 60
  const seconds = decimal(ns - (hours * 3600 + minutes * 60) * 1e9, 1e9)
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}

/** `value / unit` with as many digits as it needs. */
function decimal(value: number, unit: number): string {
  const digits = String(unit).length - 1
  const text = String(Math.round(value)).padStart(digits + 1, '0')
  const fraction = text.slice(-digits).replace(/0+$/, '')
  return `${text.slice(0, -digits)}${fraction === '' ? '' : `.${fraction}`}`
}

/** Go's text for a moment: `2022-02-23 11:51:12.123 +0000 UTC m=+1.234` (the default of `time.Time`). Pure. */
export function goTime(epochMs: number, sinceStartMs: number): string {
  const iso = new Date(epochMs).toISOString()
  const fraction = iso.slice(20, 23).replace(/0+$/, '')
  const sinceStart = (Math.max(0, sinceStartMs) / 1000).toFixed(9)
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction === '' ? '' : `.${fraction}`} +0000 UTC m=+${sinceStart}`
}

/** RFC 3339 in UTC, whole seconds: `2023-01-29T12:00:00Z`; '' for what no calendar holds. Pure. */
export function rfc3339(epochSec: number): string {
  if (!Number.isFinite(epochSec) || epochSec < -62_135_596_800 || epochSec > 253_402_300_799) return ''
  return `${new Date(Math.floor(epochSec) * 1000).toISOString().slice(0, 19)}Z`
}
