/** A piece of a word of a shell script or unit: text, or something that is only known when the script runs. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: string | undefined }
  /** The content of a file: `$(cat FILE)`. */
  | { readonly kind: 'file'; readonly path: Word }
  /** A command whose output nobody knows here. */
  | { readonly kind: 'unknown' }

export type Word = readonly Piece[]

export interface ShellCommand {
  /** From 1. */
  readonly line: number
  readonly words: readonly Word[]
  /** What it gets on stdin, where that stands in the script. */
  readonly stdin: Word | undefined
}

export interface ShellSyntax {
  /** `unit`: the command lines of systemd, which have no operators and no comments. */
  readonly kind: 'script' | 'unit'
  readonly firstLine: number
}

/** Scripts of boards are some dozen lines; what is larger is no such script. */
const maxCommands = 2_000

/**
 * Takes a shell script, or a command line of a unit, apart into commands and words. It knows quotes, continued lines,
 * comments, variables, `$(cat FILE)` and here-documents, and passes over the rest: text of any kind gives some list.
 * Pure; linear but for nested `$( )`, which are followed three levels deep.
 */
export function parseShell(text: string, syntax: ShellSyntax): readonly ShellCommand[] {
  return new ShellReader(text, syntax, 0).commands()
}

/** One word, such as the value of `Environment=`. Pure. */
export function parseWords(text: string, firstLine: number): readonly Word[] {
  return parseShell(text, { kind: 'unit', firstLine }).flatMap(({ words }) => words)
}

const deepestNesting = 3

interface HereDocument {
  readonly end: string
  readonly isQuoted: boolean
}

class ShellReader {
  readonly #text: string
  readonly #isScript: boolean
  readonly #depth: number
  readonly #commands: ShellCommand[] = []
  #at = 0
  #line: number
  #commandLine: number
  #words: Word[] = []
  /** Undefined between words. */
  #word: Piece[] | undefined
  #stdin: Word | undefined
  #hereDocument: HereDocument | undefined
  /** The next word belongs to a redirection. */
  #skips: 'nothing' | 'redirection' | 'here-document' = 'nothing'
  #isWordQuoted = false

  constructor(text: string, { kind, firstLine }: ShellSyntax, depth: number) {
    this.#text = text
    this.#isScript = kind === 'script'
    this.#depth = depth
    this.#line = firstLine
    this.#commandLine = firstLine
  }

  commands(): readonly ShellCommand[] {
    while (this.#at < this.#text.length && this.#commands.length < maxCommands) this.#step()
    this.#endCommand()
    return this.#commands
  }

  #step(): void {
    const character = this.#text[this.#at] ?? ''
    if (character === '\\') this.#readEscape()
    else if (character === "'") this.#readSingleQuoted()
    else if (character === '"') this.#readDoubleQuoted()
    else if (character === '$') this.#readDollar()
    else if (character === '`' && this.#isScript) this.#readBackticks()
    else if (character === '\n') this.#readNewline()
    else if (character === ' ' || character === '\t' || character === '\r') {
      this.#endWord()
      this.#at += 1
    } else if (this.#isScript && character === '#' && this.#word === undefined) this.#skipComment()
    else if (this.#isScript && /[;&|()<>]/.test(character)) this.#readOperator(character)
    else {
      this.#add(character)
      this.#at += 1
    }
  }

  #readEscape(): void {
    const next = this.#text[this.#at + 1]
    this.#at += 2
    if (next === undefined) return
    if (next === '\n') {
      this.#line += 1
      if (!this.#isScript) this.#endWord()
    } else this.#add(next)
  }

  #readSingleQuoted(): void {
    const end = this.#text.indexOf("'", this.#at + 1)
    const stop = end < 0 ? this.#text.length : end
    this.#add(this.#text.slice(this.#at + 1, stop))
    this.#isWordQuoted = true
    this.#countLines(this.#at, stop)
    this.#at = stop + 1
  }

  #readDoubleQuoted(): void {
    this.#at += 1
    this.#add('')
    this.#isWordQuoted = true
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? ''
      if (character === '"') break
      if (character === '\\') {
        const next = this.#text[this.#at + 1] ?? ''
        if (next === '\n') this.#line += 1
        else this.#add('"\\$`'.includes(next) ? next : `\\${next}`)
        this.#at += 2
      } else if (character === '$') this.#readDollar()
      else if (character === '`' && this.#isScript) this.#readBackticks()
      else {
        if (character === '\n') this.#line += 1
        this.#add(character)
        this.#at += 1
      }
    }
    this.#at += 1
  }

  #readDollar(): void {
    const rest = this.#text.slice(this.#at, this.#at + 256)
    const [whole, braced, fallback, bare] =
      /^\$(?:\{([A-Za-z_]\w*)(?::?-([^}"]*))?\}|([A-Za-z_]\w*))/.exec(rest) ?? []
    if (whole !== undefined) {
      this.#push({ kind: 'variable', name: braced ?? bare ?? '', fallback })
      this.#at += whole.length
    } else if (rest.startsWith('$(') && this.#isScript) {
      const end = closingParenthesis(this.#text, this.#at + 1)
      this.#push(this.#substitution(this.#text.slice(this.#at + 2, end)))
      this.#countLines(this.#at, end)
      this.#at = end + 1
    } else if (rest.startsWith('$$') && !this.#isScript) {
      this.#add('$')
      this.#at += 2
    } else if (/^\$[{@*#?!0-9]/.test(rest)) {
      this.#push({ kind: 'unknown' })
      const end = rest.startsWith('${') ? this.#text.indexOf('}', this.#at) : this.#at + 1
      this.#at = (end < 0 ? this.#text.length : end) + 1
    } else {
      this.#add('$')
      this.#at += 1
    }
  }

  #readBackticks(): void {
    const end = this.#text.indexOf('`', this.#at + 1)
    const stop = end < 0 ? this.#text.length : end
    this.#push(this.#substitution(this.#text.slice(this.#at + 1, stop)))
    this.#countLines(this.#at, stop)
    this.#at = stop + 1
  }

  /** `cat FILE` and `< FILE` are known, every other command is not. */
  #substitution(inner: string): Piece {
    if (this.#depth >= deepestNesting) return { kind: 'unknown' }
    const trimmed = inner.trim()
    const source = trimmed.startsWith('<') ? `cat ${trimmed.slice(1)}` : trimmed
    const reader = new ShellReader(source, { kind: 'script', firstLine: this.#line }, this.#depth + 1)
    const [command, ...others] = reader.commands()
    const [program, path, ...rest] = command?.words ?? []
    const isCat =
      program?.length === 1 &&
      program[0]?.kind === 'text' &&
      /^(?:\/bin\/|\/usr\/bin\/)?cat$/.test(program[0].text)
    // `cat FILE | tr -d '\n'` gives the same for a file of one line.
    const isHarmless = others.every(
      ({ words: [name] }) => name?.[0]?.kind === 'text' && /^(?:tr|head|xargs)$/.test(name[0].text),
    )
    if (!isCat || path === undefined || rest.length > 0 || !isHarmless) return { kind: 'unknown' }
    return { kind: 'file', path }
  }

  #readNewline(): void {
    this.#at += 1
    this.#line += 1
    if (this.#isScript) {
      this.#endWord()
      if (this.#hereDocument !== undefined) this.#readHereDocument(this.#hereDocument)
      this.#endCommand()
    } else this.#endWord()
  }

  #readHereDocument({ end, isQuoted }: HereDocument): void {
    const lines: string[] = []
    while (this.#at < this.#text.length) {
      const newline = this.#text.indexOf('\n', this.#at)
      const stop = newline < 0 ? this.#text.length : newline
      const line = this.#text.slice(this.#at, stop)
      this.#at = stop + 1
      this.#line += 1
      if (line.trim() === end) break
      lines.push(line)
    }
    const body = lines.join('\n')
    this.#hereDocument = undefined
    this.#stdin = isQuoted ? [{ kind: 'text', text: body }] : this.#quotedBody(body)
  }

  #quotedBody(body: string): Word {
    if (this.#depth >= deepestNesting) return [{ kind: 'unknown' }]
    const quoted = `"${body.replaceAll('"', '\\"')}"`
    const reader = new ShellReader(quoted, { kind: 'script', firstLine: this.#line }, this.#depth + 1)
    return reader.commands()[0]?.words[0] ?? []
  }

  #skipComment(): void {
    const newline = this.#text.indexOf('\n', this.#at)
    this.#at = newline < 0 ? this.#text.length : newline
  }

  #readOperator(character: string): void {
    const rest = this.#text.slice(this.#at, this.#at + 3)
    if (character === '>' || character === '<' || rest.startsWith('&>')) {
      // The number before it is that of a descriptor.
      const [only] = this.#word ?? []
      if (this.#word?.length === 1 && only?.kind === 'text' && /^\d$/.test(only.text)) this.#word = undefined
      this.#endWord()
      const [operator = character] = /^(?:<<<|<<-?|&>>|&>|>&\d?|<&\d?|>>|>\||[<>])/.exec(rest) ?? []
      this.#at += operator.length
      if (operator === '<<' || operator === '<<-') this.#skips = 'here-document'
      else if (!/&\d$/.test(operator)) this.#skips = 'redirection'
      return
    }
    this.#endWord()
    this.#endCommand()
    this.#at += 1
  }

  #add(text: string): void {
    const last = this.#word?.at(-1)
    if (this.#word === undefined) {
      if (this.#words.length === 0 && this.#skips === 'nothing') this.#commandLine = this.#line
      this.#word = [{ kind: 'text', text }]
    } else if (last?.kind === 'text')
      this.#word[this.#word.length - 1] = { kind: 'text', text: last.text + text }
    else this.#word.push({ kind: 'text', text })
  }

  #push(piece: Piece): void {
    this.#add('')
    this.#word?.push(piece)
  }

  #endWord(): void {
    const word = this.#word
    const isQuoted = this.#isWordQuoted
    this.#word = undefined
    this.#isWordQuoted = false
    if (word === undefined) return
    const purpose = this.#skips
    this.#skips = 'nothing'
    if (purpose === 'nothing')
      this.#words.push(word.filter((piece) => piece.kind !== 'text' || piece.text !== ''))
    else if (purpose === 'here-document')
      this.#hereDocument = {
        end: word.map((piece) => (piece.kind === 'text' ? piece.text : '')).join(''),
        isQuoted,
      }
  }

  #endCommand(): void {
    this.#endWord()
    this.#skips = 'nothing'
    // The operator stands between a command and its here-document: it is put together again at the end of the line.
    if (this.#words.length > 0)
      this.#commands.push({ line: this.#commandLine, words: this.#words, stdin: this.#stdin })
    this.#words = []
    this.#stdin = undefined
    this.#commandLine = this.#line
  }

  #countLines(from: number, to: number): void {
    for (let at = this.#text.indexOf('\n', from); at >= 0 && at < to; at = this.#text.indexOf('\n', at + 1))
      this.#line += 1
  }
}

/** Where the parenthesis at `open` is closed; the end of the text where it is not. */
function closingParenthesis(text: string, open: number): number {
  let depth = 0
  let quote = ''
  for (let at = open; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if (character === "'" || character === '"') quote = character
    else if (character === '(') depth += 1
    else if (character === ')') {
      depth -= 1
      if (depth === 0) return at
    }
  }
  return text.length
}
