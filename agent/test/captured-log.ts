import { createLog, type Log } from '@relay/common/log'

/** A log whose lines a test can look at. */
export function capturedLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const log = createLog({
    program: 'relay-agent',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  })
  return { log, lines }
}
