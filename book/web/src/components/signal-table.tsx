import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { DataFeed } from '../data/data-feed.ts'
import { type InstrumentIdentity, readIdentity } from '../data/instrument-identity.ts'
import { lowestAndHighest } from '../data/lowest-and-highest.ts'
import { formatValue } from '../format.ts'
import { texts } from '../texts.ts'
import { useStore, useTick } from '../use-store.ts'
import { lineStyle } from './line-style.ts'
import { windowS } from './signal-chart.ts'

const refreshEveryMs = 250
const speakEveryMs = 10_000

interface SignalTableProps {
  readonly feed: DataFeed
  readonly shown: readonly boolean[]
  readonly onShow: (name: string, show: boolean) => void
}

/** The signals in numbers: legend, switches and text alternative of the chart in one. */
export function SignalTable({ feed, shown, onShow }: SignalTableProps): JSX.Element {
  useTick(refreshEveryMs)
  const fields = useStore(feed.fields)
  const identity = useIdentity(feed)
  const { history } = feed
  const range = history.rangeSince((history.newestS ?? 0) - windowS)
  return (
    <>
      <table class="signals" data-testid="signals">
        <caption class="visually-hidden">{texts.tableCaption}</caption>
        <thead>
          <tr>
            <th scope="col">{texts.columns.signal}</th>
            <th scope="col">{texts.columns.now}</th>
            <th scope="col" class="range">
              {texts.columns.lowest}
            </th>
            <th scope="col" class="range">
              {texts.columns.highest}
            </th>
          </tr>
        </thead>
        <tbody>
          {fields.map((name, index) => {
            const [low, high] = lowestAndHighest(history.values(index, range))
            return (
              <tr key={name} data-field={name}>
                <th scope="row">
                  <label>
                    <input
                      type="checkbox"
                      checked={shown[index] ?? false}
                      aria-label={texts.showInChart(name)}
                      onChange={(event) => onShow(name, event.currentTarget.checked)}
                    />
                    <Swatch index={index} />
                    <span>{name}</span>
                    <span class="unit">{identity.units.get(name) ?? ''}</span>
                  </label>
                </th>
                <td>{formatValue(history.newest(name) ?? Number.NaN)}</td>
                <td class="range">{formatValue(low)}</td>
                <td class="range">{formatValue(high)}</td>
              </tr>
            )
          })}
          {[...feed.flags].map(([name, flag]) => (
            <tr key={name} data-field={name}>
              <th scope="row" class="flag">
                {name}
              </th>
              <td>{flag ? texts.yes : texts.no}</td>
              <td class="range" />
              <td class="range" />
            </tr>
          ))}
        </tbody>
      </table>
      <Speaker feed={feed} shown={shown} identity={identity} />
    </>
  )
}

function useIdentity(feed: DataFeed): InstrumentIdentity {
  const description = useStore(feed.description)
  return readIdentity(description ?? {})
}

function Swatch({ index }: { readonly index: number }): JSX.Element {
  const { colourName, dash } = lineStyle(index)
  return (
    <svg class="swatch" viewBox="0 0 34 8" width="34" height="8" aria-hidden="true">
      <path d="M1 4h32" stroke={`var(${colourName})`} stroke-width="3" stroke-dasharray={dash.join(' ')} />
    </svg>
  )
}

interface SpeakerProps {
  readonly feed: DataFeed
  readonly shown: readonly boolean[]
  readonly identity: InstrumentIdentity
}

/** Reads the chosen signals aloud now and then, for those who ask for it. */
function Speaker({ feed, shown, identity }: SpeakerProps): JSX.Element {
  const [isOn, setIsOn] = useState(false)
  const [spoken, setSpoken] = useState('')
  useEffect(() => {
    if (!isOn) {
      setSpoken('')
      return undefined
    }
    const speak = (): void => {
      const names = feed.history.fields.filter((_, index) => shown[index])
      const sentences = names.map((name) =>
        texts.spokenValue(
          name,
          formatValue(feed.history.newest(name) ?? Number.NaN),
          identity.units.get(name) ?? '',
        ),
      )
      setSpoken(sentences.join(', '))
    }
    speak()
    const timer = setInterval(speak, speakEveryMs)
    return () => clearInterval(timer)
  }, [isOn, feed, shown])
  return (
    <>
      <label class="speaker">
        <input type="checkbox" checked={isOn} onChange={(event) => setIsOn(event.currentTarget.checked)} />
        {texts.speakValues}
      </label>
      <p class="visually-hidden" role="status">
        {spoken}
      </p>
    </>
  )
}
