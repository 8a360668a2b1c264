import { describeError } from '@relay/common/errors'
import type { SessionNote } from './client-session.ts'

/** One line for a person about what goes on; undefined for what nobody waits for. Pure. */
export function sessionNoteText(id: string, note: SessionNote): string | undefined {
  switch (note.kind) {
    case 'waiting-for-relay':
      return `waiting for the relay: ${describeError(note.error)}`
    case 'waiting-for-host':
      return `waiting for ${id}, which is not connected to the relay${
        note.lastSeen === null ? '' : ` (last seen at ${note.lastSeen})`
      }`
    case 'lost':
      return `the connection to ${id} broke (${note.reason}); dialling again, the session goes on`
    case 'resumed':
      return `connected to ${id} again after ${(note.afterMs / 1000).toFixed(1)} s`
    case 'opened':
      return undefined
    default:
      return undefined
  }
}
