import type { Word } from './shell-words.ts'

/** Stands in a text for what is not known; no script and no file holds it as a character of its own. */
export const unknownMark = '\uE000'

export interface Scope {
  readonly variables: ReadonlyMap<string, string>
  /** The text of a file of the device; undefined where there is none. */
  readonly readFile: (path: string) => string | undefined
}

/** A word with what is known in it; `unknownMark` for the rest. Pure but for `readFile`. */
export function resolveWord(word: Word, scope: Scope): string {
  return word
    .map((piece) => {
      if (piece.kind === 'text') return piece.text.replaceAll(unknownMark, '')
      if (piece.kind === 'variable') return scope.variables.get(piece.name) ?? piece.fallback ?? unknownMark
      if (piece.kind === 'unknown') return unknownMark
      const path = resolveWord(piece.path, scope)
      // The shell leaves out the newlines at the end.
      return path.includes(unknownMark) ? unknownMark : (scope.readFile(path)?.trimEnd() ?? unknownMark)
    })
    .join('')
}
