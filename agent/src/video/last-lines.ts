import { withoutPasswords } from './without-passwords.ts'

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

  #clean(text: string): string {
    const line = withoutPasswords(text).slice(0, this.#options.maxLineLength)
    // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not reach a log
    return line.replaceAll(/[\u0000-\u001f\u007f]/g, ' ')
  }
}
