/**
 * Parts a text into its top-level JSON objects and arrays. Relays of the old kind join messages that wait at the same
 * time without a mark between them (`{"a":1}{"b":2}`, spec session 6.4). Pure.
 *
 * Only what stands between is dropped where it is white space; a text that is not made of complete objects and arrays
 * alone comes back whole, as one part: it is not ours to repair. Braces within strings do not count.
 */
export function splitJson(text: Buffer): readonly Buffer[] {
  const parts: Buffer[] = []
  let depth = 0
  let start = 0
  let isInString = false
  for (let index = 0; index < text.length; index++) {
    const byte = text[index]
    if (isInString) {
      if (byte === BACKSLASH) index += 1
      else if (byte === QUOTE) isInString = false
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (depth === 0) start = index
      depth += 1
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1
      if (depth < 0) return [text]
      if (depth === 0) parts.push(text.subarray(start, index + 1))
    } else if (byte === QUOTE && depth > 0) {
      isInString = true
    } else if (depth === 0 && !isSpace(byte)) {
      return [text]
    }
  }
  return depth === 0 && !isInString && parts.length > 0 ? parts : [text]
}

const BACKSLASH = 0x5c
const QUOTE = 0x22
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** White space of JSON (RFC 8259 section 2). */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}
