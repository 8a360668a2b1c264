import { DO, DONT, type Verb, WILL, WONT } from './telnet-codec.ts'

type OptionState = 'off' | 'asked' | 'on'

export interface WantedOptions {
  /** What we do, if the other end agrees. */
  readonly ours: readonly number[]
  /** What the other end may do. */
  readonly theirs: readonly number[]
}

/**
 * Who does what in a Telnet connection. Answers only what changes something, so that no two ends can go on for ever
 * (RFC 854, page 3; RFC 1143 for what asking at the same time does).
 */
export class TelnetOptions {
  readonly #wanted: WantedOptions
  readonly #ours = new Map<number, OptionState>()
  readonly #theirs = new Map<number, OptionState>()

  constructor(wanted: WantedOptions) {
    this.#wanted = wanted
  }

  /** What to say at the beginning. */
  ask(): readonly (readonly [Verb, number])[] {
    for (const option of this.#wanted.ours) this.#ours.set(option, 'asked')
    for (const option of this.#wanted.theirs) this.#theirs.set(option, 'asked')
    return [
      ...this.#wanted.ours.map((option) => [WILL, option] as const),
      ...this.#wanted.theirs.map((option) => [DO, option] as const),
    ]
  }

  /** What to answer; undefined for nothing. */
  answer(verb: Verb, option: number): Verb | undefined {
    switch (verb) {
      case DO:
        return this.#wanted.ours.includes(option) ? this.#on(this.#ours, option, WILL) : WONT
      case DONT:
        return this.#off(this.#ours, option, WONT)
      case WILL:
        return this.#wanted.theirs.includes(option) ? this.#on(this.#theirs, option, DO) : DONT
      case WONT:
        return this.#off(this.#theirs, option, DONT)
    }
    return undefined
  }

  /** The other end has answered what we offered to do: yes, no, or not yet. */
  offered(option: number): 'yes' | 'no' | 'not yet' {
    const state = this.#ours.get(option)
    if (state === 'asked') return 'not yet'
    return state === 'on' ? 'yes' : 'no'
  }

  #on(states: Map<number, OptionState>, option: number, answer: Verb): Verb | undefined {
    const before = states.get(option)
    states.set(option, 'on')
    return before === 'asked' || before === 'on' ? undefined : answer
  }

  #off(states: Map<number, OptionState>, option: number, answer: Verb): Verb | undefined {
    const before = states.get(option)
    states.set(option, 'off')
    return before === 'on' ? answer : undefined
  }
}
