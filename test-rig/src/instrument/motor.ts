import { type PidMemory, pidStep } from './pid.ts'
import type { Control, Field, Plant } from './plant.ts'
import { rk4Step } from './rk4.ts'
import { Settings } from './settings.ts'

export interface MotorState {
  readonly positionRad: number
  readonly speedRadPerS: number
  readonly currentA: number
}

const resistanceOhm = 2
const inductanceH = 0.004
/** Volts per rad/s and newton metres per ampere: the same number for a DC motor. */
const couplingVs = 0.05
const inertiaKgM2 = 2e-4
const viscousNms = 1e-4
const supplyV = 12
/** A quarter of the electrical time constant, so that the integration is stable and accurate. */
const stepMs = 0.5
/** Dry friction turns around over this speed: a jump would make the integration rattle at standstill. */
const stictionRadPerS = 0.5

const controls: readonly Control[] = [
  { param: 'target', min: -20, max: 20, step: 0.1, unit: 'rad', label: 'Target position' },
  { param: 'kp', min: 0, max: 20, step: 0.1, unit: 'V/rad', label: 'Proportional gain' },
  { param: 'ki', min: 0, max: 20, step: 0.1, unit: 'V/(rad s)', label: 'Integral gain' },
  { param: 'kd', min: 0, max: 2, step: 0.01, unit: 'V s/rad', label: 'Derivative gain' },
  { param: 'friction', min: 0, max: 0.05, step: 0.001, unit: 'N m', label: 'Brake' },
]

const fields: readonly Field[] = [
  { name: 'position', unit: 'rad', noise: 0.003 },
  { name: 'speed', unit: 'rad/s', noise: 0.05 },
  { name: 'current', unit: 'A', noise: 0.01 },
]

/** Energy in the rotor and the winding, in joules. Pure. */
export function motorEnergyJ(state: MotorState): number {
  return (inertiaKgM2 * state.speedRadPerS ** 2 + inductanceH * state.currentA ** 2) / 2
}

/** One step of a DC motor at a constant voltage. Pure. */
export function stepMotor(
  state: MotorState,
  forces: { readonly voltageV: number; readonly frictionNm: number; readonly stepS: number },
): MotorState {
  const [positionRad = 0, speedRadPerS = 0, currentA = 0] = rk4Step(
    [state.positionRad, state.speedRadPerS, state.currentA],
    forces.stepS,
    ([, speed = 0, current = 0]) => {
      const frictionNm = viscousNms * speed + forces.frictionNm * Math.tanh(speed / stictionRadPerS)
      return [
        speed,
        (couplingVs * current - frictionNm) / inertiaKgM2,
        (forces.voltageV - resistanceOhm * current - couplingVs * speed) / inductanceH,
      ]
    },
  )
  return { positionRad, speedRadPerS, currentA }
}

/** A DC motor which a PID controller turns to a target position. Stopped, its winding is shorted and brakes it. */
export class Motor implements Plant {
  readonly name = 'simulated motor'
  readonly controls = controls
  readonly fields = fields
  readonly #settings = new Settings(controls, { target: 0, kp: 3, ki: 1, kd: 0.15, friction: 0.004 })
  #state: MotorState
  #pid: PidMemory = { integral: 0 }
  #owedMs = 0
  #isRunning = true

  constructor(state: MotorState = { positionRad: 0, speedRadPerS: 0, currentA: 0 }) {
    this.#state = state
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  setting(param: string): number {
    return this.#settings.get(param)
  }

  set(param: string, value: number): void {
    this.#settings.set(param, value)
  }

  setRunning(isRunning: boolean): void {
    this.#isRunning = isRunning
    this.#pid = { integral: 0 }
  }

  advance(byMs: number): void {
    this.#owedMs += byMs
    while (this.#owedMs >= stepMs) {
      this.#owedMs -= stepMs
      this.#step(stepMs / 1000)
    }
  }

  read(): readonly number[] {
    return [this.#state.positionRad, this.#state.speedRadPerS, this.#state.currentA]
  }

  #step(stepS: number): void {
    const voltageV = this.#isRunning ? this.#controllerV(stepS) : 0
    this.#state = stepMotor(this.#state, { voltageV, frictionNm: this.setting('friction'), stepS })
  }

  #controllerV(stepS: number): number {
    const gains = { kp: this.setting('kp'), ki: this.setting('ki'), kd: this.setting('kd') }
    const turned = pidStep(gains, this.#pid, {
      error: this.setting('target') - this.#state.positionRad,
      rate: this.#state.speedRadPerS,
      stepS,
      limit: supplyV,
    })
    this.#pid = turned.memory
    return turned.output
  }
}
