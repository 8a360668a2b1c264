import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { nextAxisRange, type Range } from '../data/axis-range.ts'
import type { SampleHistory } from '../data/sample-history.ts'
import { texts } from '../texts.ts'
import { formatAxisValue } from '../format.ts'
import { lineStyle } from './line-style.ts'

/** What the chart shows; a bit less than the history keeps. */
export const windowS = 30

const narrowHeightPx = 200
const wideHeightPx = 260
const narrowBelowPx = 480

/** Draws the newest samples of a history with uPlot, without copying them. */
export class SignalChart {
  readonly #host: HTMLElement
  readonly #history: SampleHistory
  readonly #resize: ResizeObserver
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)')
  readonly #listeners = new AbortController()
  #plot: UPlot
  #shown: readonly boolean[] = []
  #nowS = 0
  #yRange: Range | undefined
  #frozen: UPlot.AlignedData | undefined

  constructor(host: HTMLElement, history: SampleHistory) {
    this.#host = host
    this.#history = history
    this.#plot = this.#create()
    this.#resize = new ResizeObserver(() => this.#plot.setSize(this.#size()))
    this.#resize.observe(host)
    this.#scheme.addEventListener('change', () => this.#recreate(), { signal: this.#listeners.signal })
  }

  /** Which fields are drawn, by their index in the history. */
  setShown(shown: readonly boolean[]): void {
    const isGrown = shown.length !== this.#shown.length
    const before = this.#shown
    this.#shown = shown
    this.#yRange = undefined
    if (isGrown) this.#recreate()
    else {
      for (const [index, show] of shown.entries()) {
        if (show !== before[index]) this.#plot.setSeries(index + 1, { show })
      }
    }
  }

  /** Keeps what is drawn now, until `resume`. */
  pause(): void {
    this.#frozen = this.#plot.data.map((column) => column.slice()) as UPlot.AlignedData
  }

  resume(): void {
    this.#frozen = undefined
  }

  /** Draws; returns how many samples are in the window. */
  draw(): number {
    if (this.#frozen !== undefined) return this.#frozen[0].length
    this.#nowS = this.#history.newestS ?? 0
    const range = this.#history.rangeSince(this.#nowS - windowS)
    const columns = this.#shown.map((_, index) => this.#history.values(index, range))
    this.#plot.setData([this.#history.times(range), ...columns])
    return range.end - range.start
  }

  close(): void {
    this.#listeners.abort()
    this.#resize.disconnect()
    this.#plot.destroy()
  }

  #recreate(): void {
    const data = this.#plot.data
    this.#plot.destroy()
    this.#plot = this.#create()
    if (data.length === this.#shown.length + 1) this.#plot.setData(this.#frozen ?? data)
  }

  #create(): UPlot {
    const colours = getComputedStyle(this.#host)
    const ink = colours.getPropertyValue('--muted')
    const line = colours.getPropertyValue('--line')
    const axis = {
      stroke: ink,
      font: '12px system-ui, sans-serif',
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1, size: 4 },
    }
    const options: UPlot.Options = {
      ...this.#size(),
      pxAlign: false,
      legend: { show: false },
      cursor: { show: false },
      padding: [10, 12, 0, 0],
      scales: {
        x: { time: false, range: () => [this.#nowS - windowS, this.#nowS] },
        y: { range: (_plot, low, high) => this.#rangeFor(low, high) },
      },
      axes: [
        {
          ...axis,
          label: texts.chartAxis,
          labelFont: '12px system-ui, sans-serif',
          labelSize: 18,
          size: 26,
          splits: () => [30, 25, 20, 15, 10, 5, 0].map((agoS) => this.#nowS - agoS),
          values: (_plot, splits) =>
            splits.map((split) => String(Math.round(split - this.#nowS)).replace('-', '−')),
        },
        {
          ...axis,
          size: 58,
          values: (_plot, splits, _axis, _space, step) => splits.map((split) => formatAxisValue(split, step)),
        },
      ],
      series: [{}, ...this.#shown.map((show, index) => seriesOf(index, show, colours))],
    }
    return new UPlot(options, [[], ...this.#shown.map(() => [])], this.#host)
  }

  #rangeFor(low: number | null, high: number | null): [number, number] {
    if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [-1, 1]
    this.#yRange = nextAxisRange(this.#yRange, low, high)
    return [...this.#yRange]
  }

  #size(): { width: number; height: number } {
    const width = Math.max(200, Math.floor(this.#host.clientWidth))
    return { width, height: width < narrowBelowPx ? narrowHeightPx : wideHeightPx }
  }
}

function seriesOf(index: number, show: boolean, colours: CSSStyleDeclaration): UPlot.Series {
  const { colourName, dash } = lineStyle(index)
  return {
    show,
    stroke: colours.getPropertyValue(colourName),
    width: 2,
    dash: [...dash],
    points: { show: false },
    spanGaps: true,
  }
}
