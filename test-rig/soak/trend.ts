export interface Sample {
  readonly atMs: number
  /** Of which process: a part that is started anew has another number. */
  readonly pid: number
  readonly value: number
}

export interface Trend {
  readonly start: number
  readonly max: number
  readonly end: number
  /** Processes that were seen. */
  readonly lives: number
  /** How it grew after the warm-up; undefined where there are too few samples. */
  readonly perHour: number | undefined
}

const hourMs = 3_600_000
/** Over fewer samples a slope says nothing. */
const leastSamples = 10

/**
 * The growth of a figure. The slope is that of least squares, within the life of each process and after its first
 * `warmUpMs`: one that starts small and is killed now and then is no growth, and no shrinking either. Pure.
 */
export function trendOf(samples: readonly Sample[], { warmUpMs }: { readonly warmUpMs: number }): Trend {
  const lives = Map.groupBy(samples, ({ pid }) => pid)
  const sum = { tt: 0, ty: 0, count: 0 }
  for (const life of lives.values()) {
    const bornAtMs = life[0]?.atMs ?? 0
    const warm = life.filter(({ atMs }) => atMs - bornAtMs >= warmUpMs)
    const meanT = mean(warm.map(({ atMs }) => atMs))
    const meanY = mean(warm.map(({ value }) => value))
    for (const { atMs, value } of warm) {
      sum.tt += (atMs - meanT) ** 2
      sum.ty += (atMs - meanT) * (value - meanY)
    }
    sum.count += warm.length
  }
  const values = samples.map(({ value }) => value)
  return {
    start: values[0] ?? 0,
    max: values.reduce((most, value) => Math.max(most, value), 0),
    end: values.at(-1) ?? 0,
    lives: lives.size,
    perHour: sum.count < leastSamples || sum.tt === 0 ? undefined : (sum.ty / sum.tt) * hourMs,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
