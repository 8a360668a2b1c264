/** A piece of a text with holes `${…}`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'hole'
      /** What stands between the braces. */
      readonly inner: string
      /** It stands within a JSON string. */
      readonly isInString: boolean
    }

export type SplitHoles =
  | { readonly ok: true; readonly pieces: readonly Piece[] }
  | { readonly ok: false; readonly problem: string }

const maxTextLength = 4096
const maxHoles = 64

/** Takes a text apart at its holes `${…}`, and says of each whether it stands within a JSON string. Pure. */
export function splitHoles(text: string): SplitHoles {
  if (text.length > maxTextLength)
    return { ok: false, problem: `it is longer than ${maxTextLength} characters` }
  const pieces: Piece[] = []
  let isInString = false
  let start = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '"') isInString = !isInString
    else if (text[index] === '\\' && isInString) index += 1
    else if (text.startsWith('${', index)) {
      const end = text.indexOf('}', index)
      if (end < 0) return { ok: false, problem: 'a hole "${" has no "}"' }
      if (index > start) pieces.push({ kind: 'text', text: text.slice(start, index) })
      pieces.push({ kind: 'hole', inner: text.slice(index + 2, end).trim(), isInString })
      start = end + 1
      index = end
    }
  }
  if (start < text.length) pieces.push({ kind: 'text', text: text.slice(start) })
  if (pieces.filter(({ kind }) => kind === 'hole').length > maxHoles)
    return { ok: false, problem: `it has more than ${maxHoles} holes` }
  return { ok: true, pieces }
}
