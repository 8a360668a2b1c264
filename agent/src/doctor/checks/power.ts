import { type Machine, outputOf } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

export interface PowerFacts {
  /** Flags of the Raspberry Pi firmware; undefined on other boards. */
  readonly throttledFlags: number | undefined
  /** Of the kernel's voltage sensor: the voltage is, or was since the last look, too low. */
  readonly hasLowVoltageAlarm: boolean | undefined
}

/** https://www.raspberrypi.com/documentation/computers/os.html#get_throttled */
const underVoltageNow = 1 << 0
const cappedNow = 1 << 1
const throttledNow = 1 << 2
const softLimitNow = 1 << 3
const underVoltageSince = 1 << 16
const throttledSince = (1 << 17) | (1 << 18) | (1 << 19)

/** Places where kernels of the Raspberry Pi show the flags. */
const flagFiles = [
  '/sys/devices/platform/soc/soc:firmware/get_throttled',
  '/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled',
]

export function powerCheck(machine: Machine): Check {
  return { area: 'power', look: async () => judgePower(await gatherPower(machine)) }
}

export async function gatherPower(machine: Machine): Promise<PowerFacts> {
  const [command, files, alarm] = await Promise.all([
    machine.run('vcgencmd', ['get_throttled']),
    Promise.all(flagFiles.map((path) => machine.readText(path))),
    lowVoltageAlarm(machine),
  ])
  const fromCommand = /throttled=(0x[0-9a-f]{1,8})\b/i.exec(outputOf(command) ?? '')?.[1]
  const fromFile = files.map((text) => /^\s*(?:0x)?([0-9a-f]{1,8})\s*$/i.exec(text ?? '')?.[1])
  const hex = fromCommand ?? fromFile.find((text) => text !== undefined)
  return {
    throttledFlags: hex === undefined ? undefined : Number.parseInt(hex, 16),
    hasLowVoltageAlarm: alarm,
  }
}

async function lowVoltageAlarm(machine: Machine): Promise<boolean | undefined> {
  for (const name of (await machine.list('/sys/class/hwmon')).slice(0, 64)) {
    const directory = `/sys/class/hwmon/${name}`
    if ((await machine.readText(`${directory}/name`))?.trim() !== 'rpi_volt') continue
    const text = (await machine.readText(`${directory}/in0_lcrit_alarm`))?.trim()
    if (text === '0' || text === '1') return text === '1'
  }
  return undefined
}

const supply =
  'use the supply that is made for this board and a short cable; give cameras and motors a powered hub'

/** Pure. */
export function judgePower({ throttledFlags: flags, hasLowVoltageAlarm }: PowerFacts): readonly Verdict[] {
  if (flags === undefined && hasLowVoltageAlarm === undefined)
    return [unknown('this board does not tell whether its supply is strong enough')]
  const verdicts: Verdict[] = []
  if (((flags ?? 0) & underVoltageNow) !== 0 || hasLowVoltageAlarm === true)
    verdicts.push(problem('the voltage is too low: cameras and cards fail in strange ways', supply))
  else if (((flags ?? 0) & underVoltageSince) !== 0)
    verdicts.push(warning('the voltage was too low at least once since the start', supply))
  if (((flags ?? 0) & (cappedNow | throttledNow | softLimitNow)) !== 0)
    verdicts.push(
      warning('the processor is slowed down now, by heat or low voltage', 'see temperature and voltage'),
    )
  else if (((flags ?? 0) & throttledSince) !== 0)
    verdicts.push(
      warning(
        'the processor was slowed down since the start, by heat or low voltage',
        'see temperature and voltage',
      ),
    )
  return verdicts.length > 0 ? verdicts : [ok('the supply is strong enough')]
}
