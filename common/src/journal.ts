import { fstatSync, writeSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { errorCode } from './errors.ts'
import { journalEntry } from './journal-entry.ts'

/** Sends one datagram to a unix socket without waiting; gives 0, or the errno of what failed. */
export type SendDatagram = (path: string, text: string) => number

const journalSocket = '/run/systemd/journal/socket'
/** What the datagram of `SendDatagram` may hold. */
const maxDatagramBytes = 4_095
const maxMessageBytes = 3_000
const busyCodes: ReadonlySet<string> = new Set(['EAGAIN', 'ENOBUFS'])

/** The stream leads straight into the journal of systemd: that is what `JOURNAL_STREAM` says (systemd.exec(5)). */
export function leadsToJournal(
  fd: number,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const journal = environment.JOURNAL_STREAM ?? ''
  if (journal === '') return false
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    return journal === `${dev}:${ino}`
  } catch {
    return false
  }
}

/** Each line of `text` with its priority, as sd-daemon(3) writes it. Pure. */
export function withPriority(text: string, priority: number): string {
  return text.replaceAll(/^(?=.)/gm, `<${priority}>`)
}

/** A JSON line of the log as a line of text for the journal. Pure. */
export function journalLine(line: string): string {
  const { priority, message } = journalEntry(line)
  return `<${priority}>${message}\n`
}

/** The same with its fields, as systemd's native protocol wants it. Pure. */
export function journalDatagram(line: string, program: string): string {
  const { priority, message, fields } = journalEntry(line)
  const head = `PRIORITY=${priority}\nSYSLOG_IDENTIFIER=${program}\n`
  const text = `${head}MESSAGE=${cut(message, maxMessageBytes)}\n`
  let whole = text
  for (const [name, value] of Object.entries(fields)) {
    const field = `${name}=${value}\n`
    // What does not fit any more stands in the message.
    if (Buffer.byteLength(whole) + Buffer.byteLength(field) <= maxDatagramBytes) whole += field
  }
  return whole
}

export interface JournalWriterOptions {
  readonly program: string
  readonly send: SendDatagram
  /** Another one for tests. */
  readonly socket?: string
}

/**
 * Writes whole JSON lines to the journal, one datagram each, as the `write` of a `LogStream`: gives how many bytes it
 * took, which is less while the journal has too much to do. Where the journal cannot be reached a line goes to `fd`;
 * where that is of no use either it is lost, and the journal hears of it when it is back. Never throws.
 */
export function journalWriter({ program, send, socket = journalSocket }: JournalWriterOptions) {
  let lost = 0
  const sendLine = (line: string): number => send(socket, journalDatagram(line, program))
  return (fd: number, data: Uint8Array): number => {
    let taken = 0
    if (lost > 0 && sendLine(lossLine(lost)) === 0) lost = 0
    for (const line of Buffer.from(data)
      .toString('utf8')
      .split(/(?<=\n)/)) {
      const errno = sendLine(line)
      if (errno !== 0) {
        if (busyCodes.has(getSystemErrorName(-errno))) return taken
        const fault = tryWrite(fd, journalLine(line))
        if (fault === 'EAGAIN') return taken
        if (fault !== undefined) lost += 1
      }
      taken += Buffer.byteLength(line)
    }
    return taken
  }
}

function lossLine(lines: number): string {
  return JSON.stringify({ level: 'warn', msg: 'log lines were lost, the journal was away', lines })
}

/** Gives the code of what went wrong. */
function tryWrite(fd: number, text: string): string | undefined {
  try {
    writeSync(fd, text)
    return undefined
  } catch (error) {
    return errorCode(error) ?? 'UNEXPECTED'
  }
}

function cut(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text
  return `${Buffer.from(text)
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`
}
