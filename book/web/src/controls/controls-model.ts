/** A value as JSON has it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** One set-point that the viewer may change. */
export interface Control {
  readonly param: string
  readonly label: string
  readonly min: number
  readonly max: number
  readonly step: number
  readonly unit: string
  /** Where the instrument stands now, where it says so. */
  readonly value: number | undefined
  /** What is sent; `"$value"` in it stands for the number. */
  readonly send: Json
}

/** What the control panel shows and sends. */
export interface Controls {
  readonly controls: readonly Control[]
  readonly stop: Json
  /** Undefined where the instrument has nothing to start. */
  readonly start: Json | undefined
}

/** Why an entry of a description is left out. */
export interface ControlProblem {
  /** 1 for the first entry; 0 for the description as a whole. */
  readonly position: number
  readonly reason: 'not-a-list' | 'too-many' | 'not-an-object' | 'no-param' | 'bad-range' | 'bad-step'
}

export interface ReadControls {
  readonly controls: Controls
  readonly problems: readonly ControlProblem[]
}

const maxControls = 24
const maxTextCharacters = 80

const defaultStop: Json = { cmd: 'stop' }
const defaultStart: Json = { cmd: 'start' }

/** What is shown for an instrument that does not describe itself: one turn of a motor either way. */
export const defaultControls: Controls = {
  controls: [
    {
      param: 'target',
      label: 'Target',
      min: -3.14,
      max: 3.14,
      step: 0.01,
      unit: '',
      value: undefined,
      send: { cmd: 'set', param: 'target', value: '$value' },
    },
  ],
  stop: defaultStop,
  start: defaultStart,
}

/**
 * Reads a description of controls, as an instrument answers to `describe` or an experiment's settings hold it:
 * `{"controls":[{"param","min","max","step","unit","label","value","send"}],"stop":{…},"start":{…}}`. Entries that cannot be used
 * are left out and named; `start: null` says that there is nothing to start. Never throws.
 */
export function readControls(description: object): ReadControls {
  const { controls, stop, start } = description as Record<string, unknown>
  const problems: ControlProblem[] = []
  const entries = controls ?? []
  if (!Array.isArray(entries)) problems.push({ position: 0, reason: 'not-a-list' })
  else if (entries.length > maxControls) problems.push({ position: 0, reason: 'too-many' })
  const read: Control[] = []
  for (const [index, entry] of (Array.isArray(entries) ? entries : []).slice(0, maxControls).entries()) {
    const control = readControl(entry)
    if (typeof control === 'string') problems.push({ position: index + 1, reason: control })
    else if (!read.some(({ param }) => param === control.param)) read.push(control)
  }
  return {
    controls: {
      controls: read,
      stop: isCommand(stop) ? stop : defaultStop,
      start: start === null ? undefined : isCommand(start) ? start : defaultStart,
    },
    problems,
  }
}

function readControl(entry: unknown): Control | ControlProblem['reason'] {
  if (typeof entry !== 'object' || entry === null) return 'not-an-object'
  const { param, label, min, max, step, unit, value, send } = entry as Record<string, unknown>
  if (typeof param !== 'string' || param === '' || param.length > maxTextCharacters) return 'no-param'
  if (!isFiniteNumber(min) || !isFiniteNumber(max) || min >= max) return 'bad-range'
  if (step !== undefined && (!isFiniteNumber(step) || step <= 0 || step > max - min)) return 'bad-step'
  return {
    param,
    label: typeof label === 'string' && label !== '' ? label.slice(0, maxTextCharacters) : labelFrom(param),
    min,
    max,
    step: step ?? easyStep(min, max),
    unit: typeof unit === 'string' ? unit.slice(0, 16) : '',
    value: isFiniteNumber(value) ? value : undefined,
    send: isCommand(send) ? send : { cmd: 'set', param, value: '$value' },
  }
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isCommand(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}

/** `motor_speed` is shown as `Motor speed`. */
function labelFrom(param: string): string {
  const words = param.replaceAll(/[_.-]+/g, ' ').trim()
  return words === '' ? param : words.charAt(0).toUpperCase() + words.slice(1)
}

/** About two hundred steps, of 1, 2 or 5 times a power of ten. */
function easyStep(min: number, max: number): number {
  const wanted = (max - min) / 200
  const power = 10 ** Math.floor(Math.log10(wanted))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= wanted * 0.999) ?? 10
  return Number((factor * power).toPrecision(1))
}

/** The nearest value that the control allows, without the noise of binary fractions (0.30000000000000004). */
export function nearestAllowed({ min, max, step }: Control, wanted: number): number {
  const stepped = min + Math.round((wanted - min) / step) * step
  return Number(Math.min(max, Math.max(min, stepped)).toFixed(Math.max(decimalsOf(step), decimalsOf(min))))
}

/** How many digits after the point a step needs, up to 10. */
export function decimalsOf(step: number): number {
  for (let digits = 0; digits < 10; digits += 1) {
    if (Math.abs(step - Number(step.toFixed(digits))) < 1e-10) return digits
  }
  return 10
}

/** The line to send for a set-point. */
export function setPointText(control: Control, value: number): string {
  return JSON.stringify(withValue(control.send, value))
}

function withValue(template: Json, value: number): Json {
  if (template === '$value') return value
  if (typeof template !== 'object' || template === null) return template
  if (Array.isArray(template)) return (template as readonly Json[]).map((item) => withValue(item, value))
  return Object.fromEntries(Object.entries(template).map(([key, item]) => [key, withValue(item, value)]))
}
