export interface LastLinesOptions {
  readonly maxLines: number
  readonly maxLineLength: number
}

/** Keeps the last lines of a talkative program, within a bound. */
export class LastLines {
  readonly #options: LastLinesOptions
  #lines: string[] = []
  #open = ''

  constructor(options: LastLinesOptions) {
    this.#options = options
  }

  /** The newest last; a line that is not ended yet is among them. Control characters are replaced by spaces. */
  get lines(): readonly string[] {
    return this.#open.trim() === '' ? this.#lines : [...this.#lines, this.#clean(this.#open)]
  }

  push(chunk: Buffer): void {
    const { maxLines, maxLineLength } = this.#options
    const parts = `${this.#open}${chunk.toString('utf8')}`.split(/[\r\n]+/)
    this.#open = (parts.pop() ?? '').slice(0, maxLineLength)
    for (const part of parts.slice(-maxLines)) {
      if (part.trim() !== '') this.#lines.push(this.#clean(part))
    }
    this.#lines = this.#lines.slice(-maxLines)
  }

  clear(): void {
    this.#lines = []
    this.#open = ''
  }

  #clean(line: string): string {
    // The address of a network camera may hold its password.
    const withoutPassword = line.replaceAll(/(?<=:\/\/)[^/@\s]+@/g, '(removed)@')
    // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not reach a log
    return withoutPassword.slice(0, this.#options.maxLineLength).replaceAll(/[\u0000-\u001f\u007f]/g, ' ')
  }
}
