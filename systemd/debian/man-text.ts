/** Running text: a new sentence stands on a new line, and nothing in it is taken for a macro. */
export function manText(words: string): string[] {
  return words
    .replaceAll(/\s+/g, ' ')
    .trim()
    .split(/(?<=[A-Za-z0-9)\]`"'][.!?]) (?=[A-Z`"(])/)
    .map(escaped)
    .filter((line) => line !== '')
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
}

/** Arguments of a macro: words that are macros themselves, and punctuation, lose their meaning. */
export function escapedMacro(words: string): string {
  return words
    .split(' ')
    .map((word) => (/^(?:[A-Z][a-z]|[A-Z]{2}|[.,:;()[\]?!|])$/.test(word) ? `\\&${word}` : escaped(word)))
    .join(' ')
}

function escaped(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('`', '')
    .replaceAll('…', '...')
    .replaceAll('→', '->')
    .replaceAll(/(?<=^|\s)-/g, '\\-')
}

/** The day of a page. */
export function manDate(seconds: number): string {
  const date = new Date(seconds * 1000)
  const month = date.toLocaleString('en', { month: 'long', timeZone: 'UTC' })
  return `${month} ${date.getUTCDate()}, ${date.getUTCFullYear()}`
}
