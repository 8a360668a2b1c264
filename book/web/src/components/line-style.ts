/** How a signal is drawn: a colour by name of its CSS variable, and a dash, so that colour is not needed. */
export interface LineStyle {
  readonly colourName: string
  readonly dash: readonly number[]
}

const colours = 6
const dashes: readonly (readonly number[])[] = [[], [14, 4], [4, 4], [16, 4, 4, 4]]

/** The style of the signal with this index: no two of the first 24 are alike, neighbours differ in colour and dash. */
export function lineStyle(index: number): LineStyle {
  const dash = dashes[(index + Math.floor(index / 12)) % dashes.length] ?? []
  return { colourName: `--signal-${index % colours}`, dash }
}
