import { keyValues, type Machine, outputOf } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

export interface ClockFacts {
  readonly nowMs: number
  /** What systemd or the kernel says; undefined where nothing can be asked. */
  readonly isSynchronized: boolean | undefined
  readonly isNtpEnabled: boolean | undefined
}

/** No board runs this program at an earlier time: it did not exist. */
const earliestPlausibleMs = Date.UTC(2026, 0, 1)
/** Tokens that are valid for so long do not exist: such a clock is years ahead. */
const latestPlausibleMs = Date.UTC(2060, 0, 1)

export function clockCheck(machine: Machine): Check {
  return { area: 'clock', look: async () => judgeClock(await gatherClock(machine)) }
}

export async function gatherClock(machine: Machine): Promise<ClockFacts> {
  const [shown, marker] = await Promise.all([
    machine.run('timedatectl', ['show']),
    machine.stat('/run/systemd/timesync/synchronized'),
  ])
  const values = keyValues(outputOf(shown) ?? '')
  const yes = (name: string): boolean | undefined =>
    values.has(name) ? values.get(name) === 'yes' : undefined
  return {
    nowMs: machine.clock.nowMs(),
    isSynchronized: marker !== undefined ? true : yes('NTPSynchronized'),
    isNtpEnabled: yes('NTP'),
  }
}

/** Pure. */
export function judgeClock({ nowMs, isSynchronized, isNtpEnabled }: ClockFacts): readonly Verdict[] {
  const shown = new Date(nowMs).toISOString()
  if (nowMs < earliestPlausibleMs || nowMs > latestPlausibleMs)
    return [
      problem(
        `the clock says ${shown}, which cannot be: tokens and certificates count as not yet valid or as expired`,
        'let it be set from the network: "timedatectl set-ntp true"; a firewall must let UDP port 123 out',
      ),
    ]
  if (isSynchronized === true) return [ok(`it says ${shown} and is synchronised`)]
  const enable =
    'switch on "timedatectl set-ntp true"; on Debian "apt install systemd-timesyncd" where that fails'
  if (isNtpEnabled === false)
    return [warning(`it says ${shown}, and nothing keeps it right (NTP is off)`, enable)]
  if (isSynchronized === false)
    return [
      warning(
        `it says ${shown} and is not synchronised`,
        'a board that has just started needs a minute; after that see "timedatectl timesync-status": a firewall may block UDP port 123',
      ),
    ]
  return [unknown(`it says ${shown}; whether it is synchronised cannot be asked here`)]
}
