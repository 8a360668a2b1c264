import type { JSX } from 'preact'
import type { DataState } from '../data/data-state.ts'
import { texts } from '../texts.ts'
import type { VideoState } from '../video/video-state.ts'
import { Icon, type Mood } from './icon.tsx'

const videoMoods: Readonly<Record<VideoState, Mood>> = {
  connecting: 'busy',
  waiting: 'busy',
  live: 'good',
  frozen: 'warning',
  retrying: 'warning',
  refused: 'bad',
  unsupported: 'bad',
  ended: 'off',
}

const dataMoods: Readonly<Record<DataState, Mood>> = {
  connecting: 'busy',
  waiting: 'busy',
  live: 'good',
  quiet: 'warning',
  retrying: 'warning',
  refused: 'bad',
  ended: 'off',
}

interface BadgeProps {
  readonly testId: string
  readonly label: string
  readonly state: string
  readonly words: string
  readonly mood: Mood
}

function Badge({ testId, label, state, words, mood }: BadgeProps): JSX.Element {
  return (
    <li class="badge" data-testid={testId} data-state={state}>
      <Icon mood={mood} />
      <span class="badge-label">{label}</span>
      <span class="badge-value">{words}</span>
    </li>
  )
}

/** How the video is doing; `undefined` where the activity has none. */
export function VideoBadge({ state }: { readonly state: VideoState | undefined }): JSX.Element {
  return (
    <Badge
      testId="state-video"
      label={texts.video}
      state={state ?? 'none'}
      words={state === undefined ? texts.none : texts.videoStates[state]}
      mood={state === undefined ? 'off' : videoMoods[state]}
    />
  )
}

/** How the data is doing; `undefined` where the activity has none. */
export function DataBadge({ state }: { readonly state: DataState | undefined }): JSX.Element {
  return (
    <Badge
      testId="state-data"
      label={texts.data}
      state={state ?? 'none'}
      words={state === undefined ? texts.none : texts.dataStates[state]}
      mood={state === undefined ? 'off' : dataMoods[state]}
    />
  )
}
