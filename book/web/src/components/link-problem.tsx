import type { JSX } from 'preact'
import type { LinkState } from '../links/link-state.ts'
import { texts } from '../texts.ts'
import { useTick } from '../use-store.ts'

interface LinkProblemProps {
  readonly link: LinkState
  readonly onDial: () => void
}

/** Why a link is down, when the next try is, and a button for the impatient. Nothing while all is well. */
export function LinkProblemText({ link, onDial }: LinkProblemProps): JSX.Element | null {
  useTick(500)
  if (link.kind === 'ended' && link.because !== 'expired') {
    return (
      <>
        <p>{texts.linkProblems[link.because]}</p>
        <button type="button" onClick={onDial}>
          {texts.tryAgain}
        </button>
      </>
    )
  }
  if (link.kind !== 'retrying') return null
  const seconds = Math.max(0, Math.ceil((link.untilMs - performance.now()) / 1000))
  return (
    <>
      <p>
        {texts.linkProblems[link.problem]} {texts.nextTry(seconds)}
      </p>
      <button type="button" onClick={onDial}>
        {texts.tryNow}
      </button>
    </>
  )
}
