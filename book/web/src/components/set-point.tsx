import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { type Control, decimalsOf, nearestAllowed } from '../controls/controls-model.ts'
import type { SampleHistory } from '../data/sample-history.ts'
import { texts } from '../texts.ts'

/** For so long after the viewer moved it a slider does not follow the instrument, whose answer is under way. */
const followAfterMs = 1500
const followEveryMs = 200

interface SetPointProps {
  readonly control: Control
  readonly history: SampleHistory
  readonly isUnsent: boolean
  readonly onSet: (value: number) => void
}

/** A slider and a number for one set-point. It follows the instrument, so that two viewers see the same value. */
export function SetPoint({ control, history, isUnsent, onSet }: SetPointProps): JSX.Element {
  const id = useId()
  const decimals = Math.max(decimalsOf(control.step), decimalsOf(control.min))
  const [value, setValue] = useState(() => nearestAllowed(control, control.value ?? 0))
  const [typed, setTyped] = useState<string | undefined>(undefined)
  const [problem, setProblem] = useState('')
  const touchedAtMs = useRef(Number.NEGATIVE_INFINITY)

  useFollowed(control, history, touchedAtMs, setValue)

  const commit = (wanted: number): void => {
    const allowed = nearestAllowed(control, wanted)
    touchedAtMs.current = performance.now()
    setTyped(undefined)
    setProblem('')
    setValue(allowed)
    onSet(allowed)
  }
  const commitTyped = (text: string): void => {
    const wanted = Number(text.replace(',', '.').replace('−', '-'))
    if (text.trim() === '' || Number.isNaN(wanted)) setProblem(texts.notANumber)
    else if (wanted < control.min || wanted > control.max) {
      setProblem(texts.outOfRange(control.min.toFixed(decimals), control.max.toFixed(decimals)))
    } else commit(wanted)
  }
  const message = problem === '' && isUnsent ? texts.notSent : problem
  return (
    <div class="set-point">
      <label for={id}>
        {control.label}
        {control.unit !== '' && <span class="unit"> in {control.unit}</span>}
      </label>
      <input
        id={id}
        data-testid={`control-${control.param}`}
        type="range"
        min={control.min}
        max={control.max}
        step={control.step}
        value={value}
        aria-valuetext={`${value.toFixed(decimals)} ${control.unit}`.trim()}
        onInput={(event) => commit(event.currentTarget.valueAsNumber)}
      />
      <input
        class="exact"
        data-testid={`control-${control.param}-number`}
        type="text"
        inputMode="decimal"
        autocomplete="off"
        value={typed ?? value.toFixed(decimals)}
        aria-label={texts.exactValue(control.label)}
        aria-invalid={problem !== ''}
        aria-describedby={message === '' ? undefined : `${id}-message`}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => commitTyped(event.currentTarget.value)}
      />
      <p id={`${id}-message`} class="message" role="status">
        {message}
      </p>
    </div>
  )
}

/** Takes over what the instrument says, from its samples or its newest description, unless the viewer is at it. */
function useFollowed(
  control: Control,
  history: SampleHistory,
  touchedAtMs: { readonly current: number },
  follow: (value: number) => void,
): void {
  useEffect(() => {
    const isIdle = (): boolean => performance.now() - touchedAtMs.current > followAfterMs
    if (control.value !== undefined && isIdle()) follow(nearestAllowed(control, control.value))
    const timer = setInterval(() => {
      const reported = history.newest(control.param)
      if (reported !== undefined && isIdle()) follow(nearestAllowed(control, reported))
    }, followEveryMs)
    return () => clearInterval(timer)
  }, [control, history])
}
