import { parseDurationMs } from '../config/schema.ts'
import { UsageError } from '../errors.ts'

const switches: ReadonlySet<string> = new Set(['read', 'write', 'admin'])
const words: Readonly<Record<string, string>> = {
  true: 'true',
  t: 'true',
  1: 'true',
  yes: 'true',
  on: 'true',
  false: 'false',
  f: 'false',
  0: 'false',
  no: 'false',
  off: 'false',
}
/** A thousand years: more is a mistake, and would be no exact number. */
const longestSec = 31_536_000_000

/**
 * What an option of `token` means, in the words of the variable that it stands for. Variables themselves keep the
 * meaning that they had; an option that cannot be understood is refused. Pure.
 * @throws {UsageError}
 */
export function optionValue(option: string, text: string, oneOf?: readonly string[]): string {
  if (option === 'lifetime') return lifetimeSeconds(text)
  if (oneOf !== undefined && !oneOf.includes(text)) {
    throw new UsageError(`--${option}: "${shown(text)}" is not one of ${oneOf.join(', ')}`)
  }
  if (!switches.has(option)) return text
  const meaning = words[text.toLowerCase()]
  if (meaning === undefined) throw new UsageError(`--${option}: "${shown(text)}" is not true or false`)
  return meaning
}

function lifetimeSeconds(text: string): string {
  let seconds = Number.NaN
  if (/^[0-9]{1,15}$/.test(text)) seconds = Number(text)
  else if (/^([0-9]{1,7}(\.[0-9]{1,6})?(ms|s|m|h|d))+$/.test(text)) {
    seconds = Math.floor(parseDurationMs(text) / 1000)
  }
  if (seconds >= 1 && seconds <= longestSec) return String(seconds)
  throw new UsageError(
    `--lifetime: "${shown(text)}" is not a number of seconds from 1 upwards, and no time such as 12h or 365d`,
  )
}

function shown(text: string): string {
  return text.slice(0, 60)
}
