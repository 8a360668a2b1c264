/** Longer than any command to an instrument; a paste by mistake is caught before it is sent. */
export const maxCommandCharacters = 4096

export type ReadCommand =
  | { readonly ok: true; readonly line: string }
  | { readonly ok: false; readonly reason: 'empty' | 'too-long' }
  | { readonly ok: false; readonly reason: 'not-json'; readonly detail: string }

/**
 * Checks what the viewer typed and makes one line of it, as instruments end a command at the line's end. The text itself
 * is kept, so that numbers arrive as they were written.
 */
export function readCommandText(text: string): ReadCommand {
  const trimmed = text.trim()
  if (trimmed === '') return { ok: false, reason: 'empty' }
  if (trimmed.length > maxCommandCharacters) return { ok: false, reason: 'too-long' }
  try {
    JSON.parse(trimmed)
  } catch (error) {
    return { ok: false, reason: 'not-json', detail: error instanceof Error ? error.message : '' }
  }
  // JSON allows no line breaks inside strings, so each of them is white space.
  return { ok: true, line: trimmed.replaceAll(/\s*[\r\n]\s*/g, ' ') }
}
