import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { formatMs } from '../format.ts'
import type { LabSession } from '../lab-session.ts'
import type { Stream } from '../parameters/stream-parameters.ts'
import { texts } from '../texts.ts'
import { useStore } from '../use-store.ts'
import { VideoFeed, type VideoFigures } from '../video/video-feed.ts'
import type { VideoState } from '../video/video-state.ts'
import { Icon } from './icon.tsx'
import { LinkProblemText } from './link-problem.tsx'

/** The picture of the experiment, with a choice where there are several cameras. */
export function VideoPanel({ session }: { readonly session: LabSession }): JSX.Element {
  const { video: cameras } = session.parameters
  const [chosen, setChosen] = useState(0)
  const stream = cameras[chosen]
  return (
    <section class="panel video-panel" aria-labelledby="video-heading">
      <div class="panel-head">
        <h2 id="video-heading">{texts.video}</h2>
        {cameras.length > 1 && (
          <label class="camera-choice">
            {texts.chooseCamera}
            <select value={chosen} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
              {cameras.map((camera, index) => (
                <option key={camera.url} value={index}>
                  {camera.for}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {stream === undefined ? (
        <p class="empty">{texts.noVideoStream}</p>
      ) : (
        <Camera key={stream.url} session={session} stream={stream} />
      )}
    </section>
  )
}

interface CameraProps {
  readonly session: LabSession
  readonly stream: Stream
}

function Camera({ session, stream }: CameraProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null)
  const [feed, setFeed] = useState<VideoFeed | undefined>(undefined)
  useEffect(() => {
    if (place.current === null) return undefined
    const made = new VideoFeed({ stream, place: place.current, label: texts.cameraLabel(stream.for) })
    const left = new AbortController()
    const leave = (): void => {
      if (session.isOver) made.link.expire()
      left.abort()
    }
    session.signal.addEventListener('abort', leave)
    const unsubscribe = made.state.subscribe((state) => session.videoState.set(state))
    void made.run(left.signal)
    setFeed(made)
    return () => {
      session.signal.removeEventListener('abort', leave)
      left.abort()
      unsubscribe()
      made.close()
    }
  }, [session, stream])
  return (
    <>
      <div class="picture">
        <div class="picture-place" ref={place} />
        {feed !== undefined && <PictureState feed={feed} />}
      </div>
      {feed !== undefined && <Figures feed={feed} />}
    </>
  )
}

/** What lies over the picture while it is not live. */
function PictureState({ feed }: { readonly feed: VideoFeed }): JSX.Element | null {
  const state = useStore(feed.state)
  const link = useStore(feed.link.state)
  if (state === 'live') return null
  const isProblem = state === 'retrying' || state === 'refused' || state === 'unsupported'
  return (
    <div class={`picture-state${state === 'frozen' ? ' picture-state-low' : ''}`}>
      <Icon mood={isProblem || state === 'frozen' ? 'warning' : state === 'ended' ? 'off' : 'busy'} />
      <div>
        {isProblem && state !== 'unsupported' ? (
          <LinkProblemText link={link} onDial={() => feed.link.dialNow()} />
        ) : (
          <StateText feed={feed} state={state} />
        )}
      </div>
    </div>
  )
}

/** After this the viewer is told that the camera may be off. */
const longWaitMs = 8000

function StateText({
  feed,
  state,
}: {
  readonly feed: VideoFeed
  readonly state: VideoState
}): JSX.Element | null {
  const figures = useStore(feed.figures)
  const link = useStore(feed.link.state)
  const reason = useStore(feed.unsupported)
  switch (state) {
    case 'connecting':
      return <p>{texts.videoConnecting}</p>
    case 'waiting': {
      const isLong = link.kind === 'open' && performance.now() - link.sinceMs > longWaitMs
      return <p>{isLong ? texts.videoWaitingLong : texts.videoWaiting}</p>
    }
    case 'frozen':
      return <p>{texts.videoFrozen(Math.round((figures.ageMs ?? 0) / 1000))}</p>
    case 'unsupported':
      return <p>{texts.videoUnsupported[reason ?? 'codec']}</p>
    case 'ended':
      return <p>{texts.videoEnded}</p>
    case 'live':
    case 'retrying':
    case 'refused':
      break
  }
  return null
}

/** Rate, age and evenness of the pictures. */
function Figures({ feed }: { readonly feed: VideoFeed }): JSX.Element {
  const figures = useStore(feed.figures)
  const state = useStore(feed.state)
  return (
    <p
      class="figures"
      data-testid="video-figures"
      data-codec={figures.codec}
      data-age-ms={figures.ageMs === undefined ? undefined : Math.round(figures.ageMs)}
    >
      {state === 'live' ? figuresText(figures) : ' '}
    </p>
  )
}

function figuresText({ ageMs, picturesPerSecond, jitterMs, skipped }: VideoFigures): string {
  if (ageMs === undefined || picturesPerSecond === undefined || jitterMs === undefined) return ' '
  return texts.videoFigures({
    rate: picturesPerSecond.toFixed(picturesPerSecond < 10 ? 1 : 0),
    age: formatMs(ageMs),
    jitter: formatMs(jitterMs),
    skipped,
  })
}
