import type { LinkState } from '../links/link-state.ts'

/** What the viewer is told about the video. */
export type VideoState =
  | 'connecting'
  | 'waiting'
  | 'live'
  | 'frozen'
  | 'retrying'
  | 'refused'
  | 'unsupported'
  | 'ended'

export interface VideoFacts {
  readonly link: LinkState
  /** Time since the last picture was shown; undefined before the first. */
  readonly pictureAgeMs: number | undefined
  /** The camera sends something that the page cannot decode. */
  readonly isUnsupported: boolean
}

/** A picture older than this is not live any more: slow cameras send one per second. */
export const frozenAfterMs = 2500

/** Decides what to say; pure. */
export function decideVideoState({ link, pictureAgeMs, isUnsupported }: VideoFacts): VideoState {
  switch (link.kind) {
    case 'idle':
    case 'joining':
      return 'connecting'
    case 'retrying':
      return 'retrying'
    case 'ended':
      return link.because === 'expired' ? 'ended' : 'refused'
    case 'open':
      break
  }
  if (isUnsupported) return 'unsupported'
  if (pictureAgeMs === undefined) return 'waiting'
  return pictureAgeMs > frozenAfterMs ? 'frozen' : 'live'
}
