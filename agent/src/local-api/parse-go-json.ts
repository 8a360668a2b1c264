/** A parsed JSON value, with the order and the repetitions of keys as they stood in the text. */
export type GoJson =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'number' }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly GoJson[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: GoJson])[] }

export type ParsedGoJson =
  | { readonly ok: true; readonly value: GoJson }
  | { readonly ok: false; readonly error: string }

/** Deeper nesting is refused; Go allows 10 000, no rule needs more than three. */
const maxDepth = 200
const endOfInput = 'unexpected end of JSON input'

/**
 * Parses JSON as Go's `encoding/json` does, with its error texts: old scripts and people know those sentences, and
 * the answers of the old host carry them (spec session 7.1). Never throws.
 */
export function parseGoJson(bytes: Uint8Array): ParsedGoJson {
  const parser = new Parser(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const value = parser.document()
  return value === undefined ? { ok: false, error: parser.error } : { ok: true, value }
}

/** Each method returns undefined once `error` is set; nothing is read after that. */
class Parser {
  readonly #bytes: Buffer
  #at = 0
  #depth = 0
  error = endOfInput

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  document(): GoJson | undefined {
    const value = this.#value()
    if (value === undefined) return undefined
    this.#skipSpace()
    return this.#at < this.#bytes.length ? this.#fail('after top-level value') : value
  }

  #value(): GoJson | undefined {
    this.#skipSpace()
    const byte = this.#bytes[this.#at]
    switch (byte) {
      case 0x7b:
        return this.#nested(() => this.#object())
      case 0x5b:
        return this.#nested(() => this.#array())
      case 0x22: {
        const text = this.#string()
        return text === undefined ? undefined : { kind: 'string', text }
      }
      case 0x74:
        return this.#literal('true', { kind: 'bool' })
      case 0x66:
        return this.#literal('false', { kind: 'bool' })
      case 0x6e:
        return this.#literal('null', { kind: 'null' })
      default:
        if (byte === 0x2d || isDigit(byte)) return this.#number()
        return this.#fail('looking for beginning of value')
    }
  }

  #nested(parse: () => GoJson | undefined): GoJson | undefined {
    if (this.#depth >= maxDepth) {
      this.error = 'exceeded max depth'
      return undefined
    }
    this.#depth += 1
    this.#at += 1
    const value = parse()
    this.#depth -= 1
    return value
  }

  #object(): GoJson | undefined {
    const entries: [string, GoJson][] = []
    this.#skipSpace()
    if (this.#accept(0x7d)) return { kind: 'object', entries }
    for (;;) {
      this.#skipSpace()
      if (this.#bytes[this.#at] !== 0x22) return this.#fail('looking for beginning of object key string')
      const key = this.#string()
      if (key === undefined) return undefined
      this.#skipSpace()
      if (!this.#accept(0x3a)) return this.#fail('after object key')
      const value = this.#value()
      if (value === undefined) return undefined
      entries.push([key, value])
      this.#skipSpace()
      if (this.#accept(0x7d)) return { kind: 'object', entries }
      if (!this.#accept(0x2c)) return this.#fail('after object key:value pair')
    }
  }

  #array(): GoJson | undefined {
    const items: GoJson[] = []
    this.#skipSpace()
    if (this.#accept(0x5d)) return { kind: 'array', items }
    for (;;) {
      const value = this.#value()
      if (value === undefined) return undefined
      items.push(value)
      this.#skipSpace()
      if (this.#accept(0x5d)) return { kind: 'array', items }
      if (!this.#accept(0x2c)) return this.#fail('after array element')
    }
  }

  #string(): string | undefined {
    this.#at += 1
    let text = ''
    let from = this.#at
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined || byte < 0x20) return this.#fail('in string literal')
      if (byte === 0x22 || byte === 0x5c) {
        text += this.#bytes.toString('utf8', from, this.#at)
        this.#at += 1
        if (byte === 0x22) return text.isWellFormed() ? text : text.toWellFormed()
        const escaped = this.#escape()
        if (escaped === undefined) return undefined
        text += escaped
        from = this.#at
      } else {
        this.#at += 1
      }
    }
  }

  #escape(): string | undefined {
    const byte = this.#bytes[this.#at]
    if (byte === 0x75) {
      this.#at += 1
      let unit = 0
      for (let i = 0; i < 4; i += 1) {
        const digit = hexDigit(this.#bytes[this.#at])
        if (digit === undefined) return this.#fail('in \\u hexadecimal character escape')
        unit = unit * 16 + digit
        this.#at += 1
      }
      return String.fromCharCode(unit)
    }
    const plain = byte === undefined ? undefined : escapes[String.fromCharCode(byte)]
    if (plain === undefined) return this.#fail('in string escape code')
    this.#at += 1
    return plain
  }

  #literal(word: string, value: GoJson): GoJson | undefined {
    for (let i = 1; i < word.length; i += 1) {
      this.#at += 1
      if (this.#bytes[this.#at] !== word.charCodeAt(i)) {
        return this.#fail(`in literal ${word} (expecting '${word.charAt(i)}')`)
      }
    }
    this.#at += 1
    return value
  }

  #number(): GoJson | undefined {
    if (this.#accept(0x2d) && !isDigit(this.#bytes[this.#at])) return this.#fail('in numeric literal')
    if (!this.#accept(0x30)) this.#skipDigits()
    if (this.#accept(0x2e)) {
      if (!isDigit(this.#bytes[this.#at])) return this.#fail('after decimal point in numeric literal')
      this.#skipDigits()
    }
    if (this.#accept(0x65) || this.#accept(0x45)) {
      if (!this.#accept(0x2b)) this.#accept(0x2d)
      if (!isDigit(this.#bytes[this.#at])) return this.#fail('in exponent of numeric literal')
      this.#skipDigits()
    }
    return { kind: 'number' }
  }

  #skipDigits(): void {
    while (isDigit(this.#bytes[this.#at])) this.#at += 1
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at += 1
    }
  }

  #accept(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false
    this.#at += 1
    return true
  }

  #fail(where: string): undefined {
    const byte = this.#bytes[this.#at]
    this.error = byte === undefined ? endOfInput : `invalid character ${quoteByte(byte)} ${where}`
    return undefined
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

const quotedBytes: Readonly<Record<number, string>> = {
  0x07: '\\a',
  0x08: '\\b',
  0x09: '\\t',
  0x0a: '\\n',
  0x0b: '\\v',
  0x0c: '\\f',
  0x0d: '\\r',
  0x27: "\\'",
  0x5c: '\\\\',
}

/** A byte as Go shows it in an error: bytes above 127 stand for the Latin-1 character of that number. */
function quoteByte(byte: number): string {
  const special = quotedBytes[byte]
  if (special !== undefined) return `'${special}'`
  const hex = byte.toString(16).padStart(2, '0')
  if (byte < 0x20 || byte === 0x7f) return `'\\x${hex}'`
  if ((byte > 0x7f && byte <= 0xa0) || byte === 0xad) return `'\\u00${hex}'`
  return `'${String.fromCharCode(byte)}'`
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined
}
