/** A measured value with four digits, of steady width while it changes. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= 1e7)) return minus(value.toExponential(3))
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3
  return minus(value.toFixed(digits))
}

/** The typographic minus is as wide as a digit, and read as minus. Never `-0.000`. */
function minus(text: string): string {
  const isZero = /^-[0.]+$/.test(text)
  return isZero ? text.slice(1) : text.replaceAll('-', '−')
}

const secondMs = 1000
const minuteMs = 60_000
const hourMs = 3_600_000
const dayMs = 86_400_000

/** Time left, as precise as it matters: `2 days`, `1 h 05 min`, `9:59`. Rounded down, never below 0:00. */
export function formatTimeLeft(leftMs: number): string {
  const left = Math.max(0, leftMs)
  if (left >= 2 * dayMs) return `${Math.floor(left / dayMs)} days`
  if (left >= hourMs) return `${Math.floor(left / hourMs)} h ${twoDigits((left % hourMs) / minuteMs)} min`
  return `${Math.floor(left / minuteMs)}:${twoDigits((left % minuteMs) / secondMs)}`
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, '0')
}

/** A duration for the eye: `0.4 s`, `23 ms`. */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** A number on a chart's axis, with as many digits as its step needs. */
export function formatAxisValue(value: number, step: number): string {
  const size = Math.max(Math.abs(value), step)
  if (size !== 0 && (size >= 1e5 || step < 1e-4)) return minus(value.toPrecision(3))
  const digits = step >= 1 || step <= 0 ? 0 : Math.min(4, Math.ceil(-Math.log10(step) - 1e-9))
  return minus(value.toFixed(digits))
}
