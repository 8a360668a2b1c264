export type Line = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too-long' }

const newline = 0x0a

/**
 * Cuts a byte stream into lines. Keeps at most `maxLineBytes` bytes; a longer line is reported once, when it ends, and
 * thrown away.
 */
export class LineReader {
  readonly #maxLineBytes: number
  readonly #kept: Uint8Array
  #length = 0
  #isTooLong = false

  constructor(options: { readonly maxLineBytes: number }) {
    this.#maxLineBytes = options.maxLineBytes
    this.#kept = new Uint8Array(options.maxLineBytes)
  }

  /** Forgets an unfinished line: the other end has gone and will not finish it. */
  reset(): void {
    this.#length = 0
    this.#isTooLong = false
  }

  /** The lines which these bytes complete, without their ends (`\n` or `\r\n`). */
  push(chunk: Uint8Array): readonly Line[] {
    const lines: Line[] = []
    let from = 0
    for (;;) {
      const end = chunk.indexOf(newline, from)
      this.#keep(chunk.subarray(from, end === -1 ? chunk.length : end))
      if (end === -1) return lines
      lines.push(this.#take())
      from = end + 1
    }
  }

  #keep(part: Uint8Array): void {
    if (this.#isTooLong) return
    if (this.#length + part.length > this.#maxLineBytes) {
      this.#isTooLong = true
      return
    }
    this.#kept.set(part, this.#length)
    this.#length += part.length
  }

  #take(): Line {
    const text = Buffer.from(this.#kept.buffer, 0, this.#length).toString('utf8')
    const line: Line = this.#isTooLong
      ? { kind: 'too-long' }
      : { kind: 'line', text: text.endsWith('\r') ? text.slice(0, -1) : text }
    this.reset()
    return line
  }
}
