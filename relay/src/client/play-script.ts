import { parseDurationMs } from '@relay/common/config/schema'

/** One step of a timed command file: wait, then send, where there is something to send. */
export interface PlayStep {
  readonly line: number
  readonly waitMs: number
  readonly message: { readonly data: string | Buffer } | undefined
}

export interface PlayProblem {
  readonly line: number
  readonly what: string
}

/** Largest message of the relay (spec session 6.2). */
const maxMessageBytes = 10_485_760
const delayForm = /^\[((?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+)\]\s*/
const binaryMark = 'binary:'

/**
 * Reads a timed command file. Each line is a message; `[0.5s]` in front waits first, alone it only waits; `binary:` and
 * base64 is a binary message; `#` begins a comment; empty lines mean nothing. A line that begins with `{`, or with `[`
 * and no delay, must be JSON. Gives all problems at once. Pure.
 */
export function readPlayScript(text: string): {
  readonly steps: readonly PlayStep[]
  readonly problems: readonly PlayProblem[]
} {
  const steps: PlayStep[] = []
  const problems: PlayProblem[] = []
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const delay = delayForm.exec(trimmed)
    const content = delay === null ? trimmed : trimmed.slice(delay[0].length)
    const waitMs = delay === null ? 0 : parseDurationMs(delay[1] ?? '')
    const what = problemOf(content, delay !== null)
    if (what !== undefined) problems.push({ line, what })
    else steps.push({ line, waitMs, message: content === '' ? undefined : { data: dataOf(content) } })
  }
  return { steps, problems }
}

function problemOf(content: string, hasDelay: boolean): string | undefined {
  if (content.startsWith(binaryMark)) {
    const base64 = content.slice(binaryMark.length).trim()
    if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
      return 'behind "binary:" there is no base64'
  } else if (/^[{[]/.test(content) && !isJson(content)) {
    return content.startsWith('[') && !hasDelay
      ? `"${content.slice(0, 20)}" is neither JSON nor a delay such as [0.5s]`
      : 'it begins like JSON and is none'
  }
  return Buffer.byteLength(content) > maxMessageBytes
    ? 'it is longer than the 10 MiB that a relay takes'
    : undefined
}

function dataOf(content: string): string | Buffer {
  return content.startsWith(binaryMark)
    ? Buffer.from(content.slice(binaryMark.length).trim(), 'base64')
    : content
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
