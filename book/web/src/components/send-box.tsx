import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { readCommandText } from '../controls/command-text.ts'
import type { Instrument, LabSession } from '../lab-session.ts'
import { texts } from '../texts.ts'
import { useStore } from '../use-store.ts'

interface SendBoxProps {
  readonly session: LabSession
  readonly instrument: Instrument
}

/** For commands that no slider has: JSON as it is, checked before it goes. */
export function SendBox({ session, instrument: { feed, desk } }: SendBoxProps): JSX.Element | null {
  const [text, setText] = useState('')
  const [outcome, setOutcome] = useState({ text: '', isProblem: false })
  const notes = useStore(feed.notes)
  const isOver = useStore(session.timeLeft).kind === 'over'
  const send = (): void => {
    const read = readCommandText(text)
    if (!read.ok) setOutcome({ text: texts.commandProblem(read), isProblem: true })
    else if (desk.sendLine(read.line)) setOutcome({ text: texts.commandSent, isProblem: false })
    else setOutcome({ text: texts.notSent, isProblem: true })
  }
  if (!feed.stream.canWrite) return null
  return (
    <section class="panel send-panel" aria-labelledby="send-heading">
      <div class="panel-head">
        <h2 id="send-heading">{texts.sendCommand}</h2>
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <textarea
          data-testid="command"
          rows={1}
          disabled={isOver}
          spellcheck={false}
          autocapitalize="off"
          placeholder='{"cmd":"describe"}'
          aria-label={texts.commandLabel}
          aria-describedby="command-hint command-outcome"
          aria-invalid={outcome.isProblem}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
            event.preventDefault()
            send()
          }}
        />
        <button type="submit" data-testid="send" disabled={isOver}>
          {texts.send}
        </button>
      </form>
      <p id="command-hint" class="hint">
        {texts.commandHint}
      </p>
      <p
        id="command-outcome"
        class={outcome.isProblem ? 'message' : 'hint'}
        role="status"
        data-testid="command-outcome"
      >
        {outcome.text}
      </p>
      {notes.length > 0 && (
        <>
          <h3>{texts.answers}</h3>
          <ol class="answers" data-testid="answers">
            {notes.map((note, index) => (
              <li key={index}>
                <code>{note}</code>
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  )
}
