export type Tone = 'good' | 'bad' | 'busy' | 'heading' | 'faint'

/** Gives a text its tone. Plain text stays as it is, so that nothing is said by colour alone. */
export type Paint = (text: string, tone: Tone) => string

const codeByTone: Readonly<Record<Tone, number>> = { good: 32, bad: 31, busy: 33, heading: 1, faint: 2 }

export const withoutColour: Paint = (text) => text

/** By the colours that every terminal has, which its user has chosen. */
export const withColour: Paint = (text, tone) =>
  text === '' ? '' : `\u001b[${codeByTone[tone]}m${text}\u001b[0m`

export interface PaintRequest {
  readonly isTerminal: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Colours only where a person looks and did not ask for none (no-color.org). */
export function choosePaint({ isTerminal, environment }: PaintRequest): Paint {
  const isUnwanted = (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb'
  return isTerminal && !isUnwanted ? withColour : withoutColour
}
