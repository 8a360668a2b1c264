/** What a line of the log is for the journal of systemd. */
export interface JournalEntry {
  /** 7 is for developers, 6 for everybody, 4 a warning, 3 an error, 2 the end (syslog(3)). */
  readonly priority: number
  /** For people: what happened and, in the same line, its facts. */
  readonly message: string
  /** For `journalctl CAMERA=front`: names in capitals, as the journal wants them. */
  readonly fields: Readonly<Record<string, string>>
}

const priorityByLevel: ReadonlyMap<unknown, number> = new Map([
  ['trace', 7],
  ['debug', 7],
  ['info', 6],
  ['warn', 4],
  ['error', 3],
  ['fatal', 2],
])

/** Fields that the journal, or its readers, give a meaning of their own. */
const takenNames =
  /^(?:MESSAGE|PRIORITY|MESSAGE_ID|ERRNO|UNIT|USER_UNIT|INVOCATION_ID|DOCUMENTATION|TID|(?:SYSLOG|CODE|OBJECT|COREDUMP)_.*)$/
/** Names that people look for come first in the line. */
const maxNameLength = 64
const maxFields = 32

/** An entry from a JSON line of the log; a line that is none is its own message. Pure. */
export function journalEntry(line: string): JournalEntry {
  const { level, time: _time, program: _program, msg, error, ...facts } = parse(line)
  const fault = faultOf(error)
  const told = Object.entries(facts)
    .filter(([, value]) => value !== null && value !== '')
    .slice(0, maxFields)
  const shown = told.map(([name, value]) => `${name}=${textOf(value)}`).join(' ')
  const what = [typeof msg === 'string' ? msg : '', ...(fault.message === '' ? [] : [fault.message])].join(
    ': ',
  )
  const code = fault.code === '' ? '' : ` [${fault.code}]`
  const fields = [
    ...told.map(([name, value]) => [fieldName(name), textOf(value)] as const),
    ['ERROR_CODE', fault.code] as const,
    ['ERROR_STACK', fault.stack] as const,
  ].filter(([name, value]) => name !== '' && value !== '')
  return {
    priority: priorityByLevel.get(level) ?? 6,
    message: oneLine(`${what}${code}${shown === '' ? '' : ` (${shown})`}`),
    fields: Object.fromEntries(fields.map(([name, value]) => [name, oneLine(value)])),
  }
}

/** `camera` is `CAMERA`, `delayMs` is `DELAY_MS`; '' for a name that the journal refuses or that means something else. Pure. */
export function fieldName(name: string): string {
  const written = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]/g, '_')
    .toUpperCase()
    .slice(0, maxNameLength)
  // A leading underscore is for what the journal itself knows of the sender.
  return /^[A-Z]/.test(written) && !takenNames.test(written) ? written : ''
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Told as it is.
  }
  return { msg: line }
}

function faultOf(error: unknown): {
  readonly message: string
  readonly code: string
  readonly stack: string
} {
  const facts: Readonly<Record<string, unknown>> =
    typeof error === 'object' && error !== null
      ? (error as Readonly<Record<string, unknown>>)
      : { message: error }
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const cause = facts.cause === undefined ? '' : faultOf(facts.cause).message
  const message = [text(facts.message), cause].filter((part) => part !== '').join(': ')
  return { message, code: text(facts.code), stack: text(facts.stack) }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** A field that ends at a line break would go on as another one, which the sender did not choose. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not reach a terminal
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
}
