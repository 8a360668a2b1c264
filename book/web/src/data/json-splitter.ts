/** What a splitter has thrown away, so that a loss is seen and not guessed. */
export interface SplitterLosses {
  /** Values that looked whole and were not JSON, and beginnings whose end never came. */
  readonly broken: number
  /** Characters outside any object or array, white space not counted. */
  readonly strayCharacters: number
}

/** A value longer than this is dropped: an instrument that never closes its brace must not fill the memory. */
const maxValueCharacters = 262_144
/** A value nested deeper is dropped: whoever walks through it later must not run out of stack. */
const maxNesting = 64

/**
 * Cuts a flow of text into JSON objects and arrays. Old relays join several messages into one (`{"a":1}{"b":2}`,
 * session spec 6.4) and serial adaptors cut and join lines anywhere (spec 8), so neither the message nor the line is
 * the unit; the value is. After a loss it finds the next value at the first brace where none may stand.
 */
export class JsonSplitter {
  readonly #onValue: (value: unknown) => void
  /** Text of the value that has begun; empty between values. */
  #begun = ''
  /** Closing characters that are due, the next one last. */
  #due: string[] = []
  #inString = false
  #escaped = false
  /** The last character that was no white space and outside strings; `"` after a string. */
  #previous = ''
  #broken = 0
  #strayCharacters = 0

  constructor(onValue: (value: unknown) => void) {
    this.#onValue = onValue
  }

  get losses(): SplitterLosses {
    return { broken: this.#broken, strayCharacters: this.#strayCharacters }
  }

  /** Takes the next piece of text and hands on every value that it completes, in order. Never throws. */
  push(text: string): void {
    if (this.#begun === '' && this.#pushWhole(text)) return
    this.#scan(text)
  }

  /** Forgets a value that has begun: the flow is broken here, a new one begins. */
  reset(): void {
    if (this.#begun !== '') this.#broken += 1
    this.#startAfresh()
  }

  /** The usual case: the message is one whole object. */
  #pushWhole(text: string): boolean {
    const first = text.charCodeAt(0)
    if (first !== 0x7b && first !== 0x5b) return false
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return false
    }
    this.#handOn(value)
    return true
  }

  #handOn(value: unknown): void {
    if (isNestedDeeper(value, maxNesting)) this.#broken += 1
    else this.#onValue(value)
  }

  #scan(text: string): void {
    // Where the part of the current value begins that is not in #begun yet.
    let from = 0
    for (let i = 0; i < text.length; i += 1) {
      const character = text.charAt(i)
      if (this.#inString) {
        if (character >= ' ') this.#scanInString(character)
        else this.#giveUp()
      } else if (character === '{' || character === '[') {
        if (this.#due.length > 0 && !this.#mayBegin()) this.#giveUp()
        if (this.#due.length === 0) from = i
        this.#due.push(character === '{' ? '}' : ']')
        this.#previous = character
      } else if (this.#due.length === 0) {
        if (character.trim() !== '') this.#strayCharacters += 1
      } else if (character === '}' || character === ']') {
        if (this.#due.pop() !== character) this.#giveUp()
        else if (this.#due.length === 0) {
          this.#complete(this.#begun + text.slice(from, i + 1))
        } else this.#previous = character
      } else if (character.trim() !== '') {
        this.#inString = character === '"'
        this.#previous = character
      }
    }
    if (this.#due.length > 0) this.#keep(text.slice(from))
  }

  #scanInString(character: string): void {
    if (this.#escaped) this.#escaped = false
    else if (character === '\\') this.#escaped = true
    else if (character === '"') this.#inString = false
  }

  /** Whether JSON allows an object or array here, inside of the one that has begun. */
  #mayBegin(): boolean {
    if (this.#previous === ':' || this.#previous === '[') return true
    return this.#previous === ',' && this.#due.at(-1) === ']'
  }

  #complete(text: string): void {
    this.#startAfresh()
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      this.#broken += 1
      return
    }
    this.#handOn(value)
  }

  #keep(rest: string): void {
    this.#begun += rest
    if (this.#begun.length > maxValueCharacters) this.#giveUp()
  }

  #giveUp(): void {
    this.#broken += 1
    this.#startAfresh()
  }

  #startAfresh(): void {
    this.#begun = ''
    this.#due = []
    this.#inString = false
    this.#escaped = false
    this.#previous = ''
  }
}

/** Looks no deeper than `levels`, so that it cannot run out of stack itself. */
function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((item) => isNestedDeeper(item, levels - 1))
}
