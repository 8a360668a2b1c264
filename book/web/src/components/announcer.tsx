import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { DataState } from '../data/data-state.ts'
import type { Instrument, LabSession } from '../lab-session.ts'
import type { Store } from '../store.ts'
import { texts } from '../texts.ts'
import { useStore } from '../use-store.ts'
import type { VideoState } from '../video/video-state.ts'

/** A state must last this long to be said: a short reconnect is not worth an interruption. */
const settledAfterMs = 1500

interface AnnouncerProps {
  readonly session: LabSession
  readonly instrument: Instrument | undefined
}

/** Speaks to screen readers: states once they have settled, warnings of time, and what cannot wait. */
export function Announcer({ session, instrument }: AnnouncerProps): JSX.Element {
  const announcement = useStore(session.announcement)
  const [video, setVideo] = useState('')
  const [data, setData] = useState('')
  const dataState = instrument?.feed.state
  useSettled(session.videoState, (state: VideoState) =>
    setVideo(texts.stateOf(texts.video, texts.videoStates[state])),
  )
  useSettled(dataState, (state: DataState) => setData(texts.stateOf(texts.data, texts.dataStates[state])))
  return (
    <div class="visually-hidden">
      <p role="status">{video}</p>
      <p role="status">{data}</p>
      <p role="status" data-testid="announcement">
        {announcement?.isUrgent === false && announcement.text}
      </p>
      <p role="alert">{announcement?.isUrgent === true && announcement.text}</p>
    </div>
  )
}

function useSettled<T>(store: Store<T | undefined> | Store<T> | undefined, say: (state: T) => void): void {
  const lastSaid = useRef<T | undefined>(undefined)
  useEffect(() => {
    if (store === undefined) return undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const settle = (state: T | undefined): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        if (state === undefined || state === lastSaid.current) return
        lastSaid.current = state
        say(state)
      }, settledAfterMs)
    }
    settle(store.value)
    const unsubscribe = (store as Store<T | undefined>).subscribe(settle)
    return () => {
      clearTimeout(timer)
      unsubscribe()
    }
  }, [store])
}
