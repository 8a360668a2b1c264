import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Instrument, LabSession } from '../lab-session.ts'
import { texts } from '../texts.ts'
import { useStore } from '../use-store.ts'

interface StopButtonProps {
  readonly session: LabSession
  readonly instrument: Instrument
}

/** Stops the instrument: by click, by touch, or by Escape wherever the focus is. */
export function StopButton({ session, instrument: { feed, desk } }: StopButtonProps): JSX.Element | null {
  const isOver = useStore(session.timeLeft).kind === 'over'
  const isUsable = feed.stream.canWrite && !isOver
  const stop = (): void => {
    desk.stop()
    const { kind } = desk.stopState.value
    session.announce(kind === 'sent' ? texts.stopSent(timeOfDay(Date.now())) : texts.stopWaiting, {
      isUrgent: true,
    })
  }
  useEffect(() => {
    if (!isUsable) return undefined
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.repeat) stop()
    }
    // In the capture phase, so that nothing on the page can keep the key for itself.
    addEventListener('keydown', onKey, { capture: true })
    return () => removeEventListener('keydown', onKey, { capture: true })
  }, [isUsable, desk])
  if (!feed.stream.canWrite) return null
  return (
    <button
      type="button"
      class="stop"
      data-testid="stop"
      disabled={!isUsable}
      title={texts.stopHint}
      aria-keyshortcuts="Escape"
      onClick={stop}
    >
      <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
        <rect x="2" y="2" width="12" height="12" rx="1.5" fill="currentColor" />
      </svg>
      {texts.stop}
      <kbd aria-hidden="true">Esc</kbd>
    </button>
  )
}

/** `14:03:22`, as the viewer's clock shows it. */
export function timeOfDay(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB')
}
