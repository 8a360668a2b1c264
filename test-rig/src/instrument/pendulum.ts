import { type PidGains, type PidMemory, pidStep } from './pid.ts'
import type { Control, Field, Plant } from './plant.ts'
import { rk4Step } from './rk4.ts'
import { Settings } from './settings.ts'

export interface PendulumState {
  /** From hanging straight down, in (-pi, pi]. */
  readonly angleRad: number
  readonly velocityRadPerS: number
}

const massKg = 0.2
const lengthM = 0.3
const gravityMPerS2 = 9.81
const inertiaKgM2 = massKg * lengthM * lengthM
const weightNm = massKg * gravityMPerS2 * lengthM
const torqueLimitNm = 2
const gains: PidGains = { kp: 1.2, ki: 0.8, kd: 0.12 }
const stepMs = 1

const controls: readonly Control[] = [
  { param: 'target', min: -3, max: 3, step: 0.05, unit: 'rad', label: 'Target angle' },
  { param: 'drive', min: 0, max: 0.6, step: 0.01, unit: 'N m', label: 'Driving torque' },
  { param: 'frequency', min: 0.1, max: 3, step: 0.05, unit: 'Hz', label: 'Driving frequency' },
  { param: 'damping', min: 0, max: 0.05, step: 0.001, unit: 'N m s', label: 'Damping' },
]

const fields: readonly Field[] = [
  { name: 'angle', unit: 'rad', noise: 0.002 },
  { name: 'velocity', unit: 'rad/s', noise: 0.01 },
]

/** Kinetic and potential energy in joules, 0 when it hangs still. Pure. */
export function pendulumEnergyJ(state: PendulumState): number {
  return (inertiaKgM2 * state.velocityRadPerS ** 2) / 2 + weightNm * (1 - Math.cos(state.angleRad))
}

/** The same direction as an angle in (-pi, pi]. Pure. */
export function wrapAngle(angleRad: number): number {
  const turns = Math.round(angleRad / (2 * Math.PI))
  const wrapped = angleRad - turns * 2 * Math.PI
  return wrapped <= -Math.PI ? wrapped + 2 * Math.PI : wrapped
}

/** One step of a damped pendulum under a constant torque at its pivot. Pure. */
export function stepPendulum(
  state: PendulumState,
  forces: { readonly torqueNm: number; readonly dampingNms: number; readonly stepS: number },
): PendulumState {
  const [angleRad = 0, velocityRadPerS = 0] = rk4Step(
    [state.angleRad, state.velocityRadPerS],
    forces.stepS,
    ([angle = 0, velocity = 0]) => [
      velocity,
      (forces.torqueNm - forces.dampingNms * velocity - weightNm * Math.sin(angle)) / inertiaKgM2,
    ],
  )
  return { angleRad: wrapAngle(angleRad), velocityRadPerS }
}

/**
 * A damped pendulum with a motor at its pivot, which holds a target angle and adds a sinusoidal torque. Stopped, the
 * motor lets go and the pendulum swings out.
 */
export class Pendulum implements Plant {
  readonly name = 'simulated pendulum'
  readonly controls = controls
  readonly fields = fields
  readonly #settings = new Settings(controls, { target: 0.5, drive: 0.25, frequency: 0.5, damping: 0.004 })
  #state: PendulumState
  #pid: PidMemory = { integral: 0 }
  #phaseRad = 0
  #owedMs = 0
  #isRunning = true

  constructor(state: PendulumState = { angleRad: 0, velocityRadPerS: 0 }) {
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
    return [this.#state.angleRad, this.#state.velocityRadPerS]
  }

  #step(stepS: number): void {
    const torqueNm = this.#isRunning ? this.#motorTorqueNm(stepS) : 0
    this.#state = stepPendulum(this.#state, { torqueNm, dampingNms: this.setting('damping'), stepS })
  }

  #motorTorqueNm(stepS: number): number {
    this.#phaseRad = (this.#phaseRad + 2 * Math.PI * this.setting('frequency') * stepS) % (2 * Math.PI)
    const held = pidStep(gains, this.#pid, {
      error: wrapAngle(this.setting('target') - this.#state.angleRad),
      rate: this.#state.velocityRadPerS,
      stepS,
      limit: torqueLimitNm,
    })
    this.#pid = held.memory
    return held.output + this.setting('drive') * Math.sin(this.#phaseRad)
  }
}
