import { clamp } from './clamp.ts'
import type { Control } from './plant.ts'

/** The values of a plant's controls; every value stays within its control's range. */
export class Settings {
  readonly #controls = new Map<string, Control>()
  readonly #values = new Map<string, number>()

  constructor(controls: readonly Control[], initial: Readonly<Record<string, number>>) {
    for (const control of controls) {
      this.#controls.set(control.param, control)
      this.#values.set(control.param, clamp(initial[control.param] ?? 0, control.min, control.max))
    }
  }

  get(param: string): number {
    return this.#values.get(param) ?? 0
  }

  set(param: string, value: number): void {
    const control = this.#controls.get(param)
    if (control === undefined || Number.isNaN(value)) return
    this.#values.set(param, clamp(value, control.min, control.max))
  }
}
