import type { JSX } from 'preact'
import type { ControlDesk } from '../controls/control-desk.ts'
import type { DataFeed } from '../data/data-feed.ts'
import type { Instrument, LabSession } from '../lab-session.ts'
import { texts } from '../texts.ts'
import { useStore, useTick } from '../use-store.ts'
import { LinkProblemText } from './link-problem.tsx'
import { SetPoint } from './set-point.tsx'
import { timeOfDay } from './stop-button.tsx'

interface ControlPanelProps {
  readonly session: LabSession
  readonly instrument: Instrument | undefined
}

/** Set-points, start, and what became of stop. */
export function ControlPanel({ session, instrument }: ControlPanelProps): JSX.Element {
  return (
    <section class="panel control-panel" aria-labelledby="control-heading">
      <div class="panel-head">
        <h2 id="control-heading">{texts.controls}</h2>
        {instrument !== undefined && <StartButton session={session} instrument={instrument} />}
      </div>
      {instrument === undefined ? (
        <p class="empty">{session.parameters.data === undefined ? texts.noDataStream : texts.connecting}</p>
      ) : (
        <Desk session={session} instrument={instrument} />
      )}
    </section>
  )
}

interface DeskProps {
  readonly session: LabSession
  readonly instrument: Instrument
}

function Desk({ session, instrument: { feed, desk } }: DeskProps): JSX.Element {
  const { controls } = useStore(desk.controls)
  const source = useStore(desk.source)
  const link = useStore(feed.link.state)
  const unsent = useStore(desk.unsent)
  const isOver = useStore(session.timeLeft).kind === 'over'
  if (!feed.stream.canWrite) return <p class="empty">{texts.watchOnly}</p>
  const hint = link.kind === 'open' || source !== 'asking' ? texts.controlsSource[source] : texts.connecting
  const isDown = link.kind === 'retrying' || (link.kind === 'ended' && !isOver)
  return (
    <>
      <StopOutcome feed={feed} desk={desk} />
      {isDown && (
        <div class="link-problem">
          <LinkProblemText link={link} onDial={() => feed.link.dialNow()} />
        </div>
      )}
      {hint !== '' && !isDown && !isOver && <p class="hint">{hint}</p>}
      {source !== 'asking' && (
        <fieldset class="set-points" disabled={isOver}>
          <legend class="visually-hidden">{texts.controls}</legend>
          {controls.length === 0 && <p class="empty">{texts.noControls}</p>}
          {controls.map((control) => (
            <SetPoint
              key={control.param}
              control={control}
              history={feed.history}
              isUnsent={unsent.has(control.param)}
              onSet={(value) => desk.setPoint(control, value)}
            />
          ))}
        </fieldset>
      )}
    </>
  )
}

function StartButton({ session, instrument: { feed, desk } }: DeskProps): JSX.Element | null {
  const { start } = useStore(desk.controls)
  const isOver = useStore(session.timeLeft).kind === 'over'
  if (start === undefined || !feed.stream.canWrite) return null
  return (
    <button type="button" class="start" data-testid="start" disabled={isOver} onClick={() => desk.start()}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d="M3 1.5v13l11-6.5Z" fill="currentColor" />
      </svg>
      {texts.start}
    </button>
  )
}

/** An instrument that still reports that it is running after this has not understood, or not received, the command. */
const confirmWithinMs = 2000

function StopOutcome({
  feed,
  desk,
}: {
  readonly feed: DataFeed
  readonly desk: ControlDesk
}): JSX.Element | null {
  useTick(500)
  const stop = useStore(desk.stopState)
  if (stop.kind === 'idle') return null
  if (stop.kind === 'waiting') {
    return (
      <p class="stop-outcome bad" data-testid="stop-outcome" data-state="waiting">
        {texts.stopWaiting}
      </p>
    )
  }
  const isRunning = feed.flags.get('running')
  const time = timeOfDay(stop.atMs)
  const isLate = Date.now() - stop.atMs > confirmWithinMs
  const outcome = isRunning === false ? 'confirmed' : isRunning === true && isLate ? 'unconfirmed' : 'sent'
  const text = {
    confirmed: texts.stopConfirmed(time),
    unconfirmed: texts.stopUnconfirmed(time),
    sent: texts.stopSent(time),
  }[outcome]
  return (
    <p
      class={`stop-outcome${outcome === 'unconfirmed' ? ' bad' : ''}`}
      data-testid="stop-outcome"
      data-state={outcome}
    >
      {text}
    </p>
  )
}
