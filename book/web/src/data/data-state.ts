import type { LinkState } from '../links/link-state.ts'

/** What the viewer is told about the data of the instrument. */
export type DataState = 'connecting' | 'waiting' | 'live' | 'quiet' | 'retrying' | 'refused' | 'ended'

/** An instrument that says nothing for so long is called quiet. */
export const quietAfterMs = 3000

/** Decides what to say; pure. `sampleAgeMs` is undefined before the first sample. */
export function decideDataState(link: LinkState, sampleAgeMs: number | undefined): DataState {
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
  if (sampleAgeMs === undefined) return 'waiting'
  return sampleAgeMs > quietAfterMs ? 'quiet' : 'live'
}
