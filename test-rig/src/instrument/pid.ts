import { clamp } from './clamp.ts'

export interface PidGains {
  readonly kp: number
  readonly ki: number
  readonly kd: number
}

/** What a controller remembers between two steps. */
export interface PidMemory {
  /** Sum of error x time, in the error's unit x seconds. */
  readonly integral: number
}

export interface PidInput {
  readonly error: number
  /** How fast the measured value moves, per second: damping acts on it, so a jump of the target gives no kick. */
  readonly rate: number
  readonly stepS: number
  readonly limit: number
}

export interface PidOutput {
  readonly output: number
  readonly memory: PidMemory
}

/** One step of a PID controller whose output stays within +-limit and whose integral never winds up. Pure. */
export function pidStep(gains: PidGains, memory: PidMemory, input: PidInput): PidOutput {
  const { error, rate, stepS, limit } = input
  const widest = gains.ki > 0 ? limit / gains.ki : 0
  const integral = clamp(memory.integral + error * stepS, -widest, widest)
  const wanted = gains.kp * error + gains.ki * integral - gains.kd * rate
  const output = clamp(wanted, -limit, limit)
  // While the output is at its limit the integral may shrink and not grow.
  const isStuck = output !== wanted && Math.sign(wanted) === Math.sign(error)
  return { output, memory: { integral: isStuck ? clamp(memory.integral, -widest, widest) : integral } }
}
