import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { DataFeed } from '../data/data-feed.ts'
import type { Instrument, LabSession } from '../lab-session.ts'
import { texts } from '../texts.ts'
import { useStore } from '../use-store.ts'
import { SignalChart, windowS } from './signal-chart.ts'
import { SignalTable } from './signal-table.tsx'

/** So many signals are drawn from the beginning; the viewer chooses the others. */
const shownAtFirst = 4
/** Between two drawings; a viewer who wants less motion gets two a second. */
const drawEveryMs = 33
const drawEveryMsReduced = 500

interface ChartPanelProps {
  readonly session: LabSession
  readonly instrument: Instrument | undefined
}

/** What the instrument measures, as a live chart and as a table. */
export function ChartPanel({ session, instrument }: ChartPanelProps): JSX.Element | null {
  if (session.parameters.data === undefined) return null
  return (
    <section class="panel chart-panel" aria-labelledby="chart-heading">
      {instrument === undefined ? (
        <h2 id="chart-heading">{texts.measurements}</h2>
      ) : (
        <Measurements feed={instrument.feed} />
      )}
    </section>
  )
}

function Measurements({ feed }: { readonly feed: DataFeed }): JSX.Element {
  const fields = useStore(feed.fields)
  const state = useStore(feed.state)
  const [choice, setChoice] = useState<ReadonlyMap<string, boolean>>(new Map())
  const [isPaused, setIsPaused] = useState(false)
  const shown = useMemo(
    () => fields.map((name, index) => choice.get(name) ?? index < shownAtFirst),
    [fields, choice],
  )
  const place = useChart({ feed, shown, isPaused })
  const names = fields.filter((_, index) => shown[index]).join(', ')
  return (
    <>
      <div class="panel-head">
        <h2 id="chart-heading">{texts.measurements}</h2>
        {fields.length > 0 && (
          <button
            type="button"
            aria-pressed={isPaused}
            data-testid="pause"
            onClick={() => setIsPaused(!isPaused)}
          >
            {isPaused ? texts.resume : texts.pause}
          </button>
        )}
      </div>
      <div
        class="chart"
        ref={place}
        role="img"
        aria-label={texts.chartLabel(names, windowS)}
        data-testid="chart"
        hidden={fields.length === 0}
      />
      {fields.length === 0 && (
        <p class="empty">{state === 'waiting' ? texts.waitingForData : texts.noNumbers}</p>
      )}
      {state === 'quiet' && <p class="hint">{texts.quiet}</p>}
      {isPaused && <p class="hint">{texts.paused}</p>}
      {fields.length > 0 && (
        <SignalTable
          feed={feed}
          shown={shown}
          onShow={(name, show) => setChoice(new Map([...choice, [name, show]]))}
        />
      )}
    </>
  )
}

interface ChartOptions {
  readonly feed: DataFeed
  readonly shown: readonly boolean[]
  readonly isPaused: boolean
}

/** Makes a chart in the element that gets the ref, and draws it as often as there is something new. */
function useChart({ feed, shown, isPaused }: ChartOptions): { current: HTMLDivElement | null } {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<SignalChart | undefined>(undefined)
  useEffect(() => {
    const host = place.current
    if (host === null) return undefined
    const made = new SignalChart(host, feed.history)
    chart.current = made
    const stop = drawWhenNew(feed, made, host)
    return () => {
      stop()
      made.close()
      chart.current = undefined
    }
  }, [feed])
  useEffect(() => chart.current?.setShown(shown), [shown, feed])
  useEffect(() => {
    if (isPaused) chart.current?.pause()
    else chart.current?.resume()
  }, [isPaused, feed])
  return place
}

/** Returns the function that stops the drawing. */
function drawWhenNew(feed: DataFeed, chart: SignalChart, host: HTMLElement): () => void {
  const wantsLessMotion = matchMedia('(prefers-reduced-motion: reduce)')
  let drawnRows = -1
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let request = requestAnimationFrame(frame)
  function frame(nowMs: number): void {
    request = requestAnimationFrame(frame)
    const everyMs = wantsLessMotion.matches ? drawEveryMsReduced : drawEveryMs
    if (feed.history.rowsSeen === drawnRows || nowMs - drawnAtMs < everyMs - 4) return
    drawnRows = feed.history.rowsSeen
    drawnAtMs = nowMs
    host.dataset.points = String(chart.draw())
    host.dataset.samples = String(drawnRows)
  }
  return () => cancelAnimationFrame(request)
}
