import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const zonesFolder = '/sys/class/thermal'

/** The temperature of the board, as far as its kernel tells. A sensor that hangs keeps nobody waiting. */
export class Thermometer {
  readonly #folder: string
  #lastC: number | undefined
  #isReading = false

  constructor(folder: string = zonesFolder) {
    this.#folder = folder
  }

  /** What was read last, in degrees Celsius, the hottest of its sensors; undefined before, and where there is none. Reads anew meanwhile. */
  get lastC(): number | undefined {
    if (!this.#isReading) void this.read()
    return this.#lastC
  }

  /** Reads now. */
  async read(): Promise<number | undefined> {
    this.#isReading = true
    try {
      const names = (await readdir(this.#folder)).filter((name) => name.startsWith('thermal_zone'))
      const all = await Promise.all(names.map((name) => readZone(join(this.#folder, name, 'temp'))))
      const known = all.filter((celsius) => celsius !== undefined)
      this.#lastC = known.length === 0 ? undefined : Math.max(...known)
    } catch {
      this.#lastC = undefined
    } finally {
      this.#isReading = false
    }
    return this.#lastC
  }
}

/** In thousandths of a degree; what no board survives is no temperature. */
async function readZone(file: string): Promise<number | undefined> {
  try {
    const text = (await readFile(file, 'utf8')).trim()
    const celsius = /^-?\d{1,7}$/.test(text) ? Number(text) / 1000 : Number.NaN
    return celsius > -60 && celsius < 160 ? Math.round(celsius * 10) / 10 : undefined
  } catch {
    return undefined
  }
}
