/** How fast each part of a state changes, per second. */
export type Derivative = (state: readonly number[]) => readonly number[]

/** One step of the classical Runge-Kutta method of fourth order. Pure. */
export function rk4Step(state: readonly number[], stepS: number, derivative: Derivative): readonly number[] {
  const k1 = derivative(state)
  const k2 = derivative(along(state, k1, stepS / 2))
  const k3 = derivative(along(state, k2, stepS / 2))
  const k4 = derivative(along(state, k3, stepS))
  return state.map(
    (x, i) => x + (stepS / 6) * ((k1[i] ?? 0) + 2 * (k2[i] ?? 0) + 2 * (k3[i] ?? 0) + (k4[i] ?? 0)),
  )
}

function along(state: readonly number[], slope: readonly number[], stepS: number): readonly number[] {
  return state.map((x, i) => x + stepS * (slope[i] ?? 0))
}
