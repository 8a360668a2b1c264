import type { Field, Plant } from '../src/instrument/plant.ts'
import { machineMs } from './machine-ms.ts'

/** Names and units of its numbers, without noise. */
const fields: readonly Field[] = [
  { name: 'run', unit: '', noise: 0 },
  { name: 'seq', unit: '', noise: 0 },
  { name: 'born', unit: 'ms', noise: 0 },
]

/** Measures nothing: each reading is numbered and tells when it was made, so that what is lost on the way is found out. */
export class CountingPlant implements Plant {
  readonly name = 'counter'
  readonly controls = []
  readonly fields = fields
  readonly isRunning = true
  readonly #run: number
  #seq = 0

  /** @param run a higher number for each new life of the instrument. */
  constructor(run: number) {
    this.#run = run
  }

  setting(): number {
    return 0
  }

  set(): void {}

  setRunning(): void {}

  advance(): void {}

  read(): readonly number[] {
    const seq = this.#seq
    this.#seq += 1
    return [this.#run, seq, machineMs()]
  }
}
