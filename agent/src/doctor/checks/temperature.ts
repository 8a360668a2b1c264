import type { Machine } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

export interface Zone {
  /** `cpu-thermal`. */
  readonly name: string
  readonly celsius: number
}

/** Boards slow down from about 80 degrees on; most are specified up to 85. */
const warmCelsius = 75
const hotCelsius = 85

export function temperatureCheck(machine: Machine): Check {
  return { area: 'temperature', look: async () => judgeTemperature(await gatherZones(machine)) }
}

export async function gatherZones(machine: Machine): Promise<readonly Zone[]> {
  const names = (await machine.list('/sys/class/thermal')).filter((name) => name.startsWith('thermal_zone'))
  const zones = await Promise.all(
    names.slice(0, 64).map(async (name): Promise<Zone | undefined> => {
      const directory = `/sys/class/thermal/${name}`
      const [type = name, text] = await Promise.all([
        machine.readText(`${directory}/type`),
        machine.readText(`${directory}/temp`),
      ])
      const celsius = /^\s*-?[0-9]{1,7}\s*$/.test(text ?? '') ? Number(text) / 1000 : Number.NaN
      // Some boards give 0 or nonsense for a sensor that is switched off.
      return celsius > -60 && celsius < 200 && celsius !== 0 ? { name: type.trim(), celsius } : undefined
    }),
  )
  return zones.filter((zone) => zone !== undefined)
}

/** Pure. */
export function judgeTemperature(zones: readonly Zone[]): readonly Verdict[] {
  const hottest = zones.reduce<Zone | undefined>(
    (most, zone) => (most === undefined || zone.celsius > most.celsius ? zone : most),
    undefined,
  )
  if (hottest === undefined) return [unknown('this machine has no sensor that can be read')]
  const shown = `${hottest.name} has ${hottest.celsius.toFixed(0)} °C`
  if (hottest.celsius >= hotCelsius)
    return [
      problem(
        `${shown}: the board slows down or stops`,
        'give it air, a heat sink or a fan; take it out of the sun and away from heaters',
      ),
    ]
  if (hottest.celsius >= warmCelsius)
    return [warning(`${shown}, near the limit of most boards`, 'give it air, a heat sink or a fan')]
  return [ok(shown)]
}
