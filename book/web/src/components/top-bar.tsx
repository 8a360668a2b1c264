import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { readIdentity } from '../data/instrument-identity.ts'
import type { DataFeed } from '../data/data-feed.ts'
import type { DataState } from '../data/data-state.ts'
import { formatMs } from '../format.ts'
import type { Instrument, LabSession, TimeLeft } from '../lab-session.ts'
import { texts } from '../texts.ts'
import { useStore } from '../use-store.ts'
import { Icon } from './icon.tsx'
import { DataBadge, VideoBadge } from './state-badge.tsx'
import { StopButton } from './stop-button.tsx'

interface TopBarProps {
  readonly session: LabSession
  readonly instrument: Instrument | undefined
}

/** Always in sight: what this is, how the links are doing, how long it lasts, and the stop button. */
export function TopBar({ session, instrument }: TopBarProps): JSX.Element {
  const videoState = useStore(session.videoState)
  const timeLeft = useStore(session.timeLeft)
  return (
    <header class="top-bar">
      {instrument === undefined ? (
        <Title session={session} />
      ) : (
        <NamedTitle session={session} feed={instrument.feed} />
      )}
      <ul class="badges">
        <VideoBadge
          state={session.parameters.video.length === 0 ? undefined : (videoState ?? 'connecting')}
        />
        {instrument === undefined ? (
          <DataBadge state={session.parameters.data === undefined ? undefined : 'connecting'} />
        ) : (
          <DataBadges feed={instrument.feed} />
        )}
        <TimeBadge timeLeft={timeLeft} endsAtMs={session.parameters.expiresAtMs} />
      </ul>
      {instrument !== undefined && <StopButton session={session} instrument={instrument} />}
    </header>
  )
}

function NamedTitle({
  session,
  feed,
}: {
  readonly session: LabSession
  readonly feed: DataFeed
}): JSX.Element {
  const description = useStore(feed.description)
  const name = description === undefined ? undefined : readIdentity(description).name
  return <Title session={session} instrumentName={name} />
}

function Title({
  session,
  instrumentName,
}: {
  readonly session: LabSession
  readonly instrumentName?: string | undefined
}): JSX.Element {
  const settings = useStore(session.settings)
  const title = settings.name ?? instrumentName ?? texts.defaultTitle
  const capitalised = title.charAt(0).toUpperCase() + title.slice(1)
  useEffect(() => {
    document.title = capitalised
  }, [capitalised])
  return <h1>{capitalised}</h1>
}

/** What was measured over a link that is gone says nothing about the next one. */
function hasOpenLink(state: DataState): boolean {
  return state === 'live' || state === 'quiet' || state === 'waiting'
}

function DataBadges({ feed }: { readonly feed: DataFeed }): JSX.Element {
  const state = useStore(feed.state)
  const measured = useStore(feed.latency)
  const latency = hasOpenLink(state) ? measured : undefined
  return (
    <>
      <DataBadge state={state} />
      <li
        class="badge"
        data-testid="latency"
        data-ms={latency === undefined ? undefined : Math.round(latency.ms)}
        data-source={latency?.kind}
        title={latency === undefined ? undefined : texts.latencyTitle[latency.kind]}
      >
        <span class="badge-label">{latency?.kind === 'set-up' ? texts.setUpTime : texts.roundTrip}</span>
        <span class="badge-value">{latency === undefined ? texts.notMeasured : formatMs(latency.ms)}</span>
      </li>
    </>
  )
}

function TimeBadge({
  timeLeft,
  endsAtMs,
}: {
  readonly timeLeft: TimeLeft
  readonly endsAtMs: number | undefined
}): JSX.Element | null {
  if (timeLeft.kind === 'unlimited' || endsAtMs === undefined) return null
  const urgency = timeLeft.kind === 'over' ? 'over' : timeLeft.urgency
  const ends = new Date(endsAtMs).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  return (
    <li
      class={`badge time-${urgency}`}
      data-testid="time-left"
      data-urgency={urgency}
      title={texts.endsAt(ends)}
    >
      {urgency !== 'calm' && <Icon mood={urgency === 'over' ? 'off' : 'warning'} />}
      <span class="badge-label">{texts.timeLeft}</span>
      <span class="badge-value" role="timer">
        {timeLeft.kind === 'over' ? texts.videoStates.ended : timeLeft.text}
      </span>
    </li>
  )
}
