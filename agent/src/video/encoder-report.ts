import type { EncoderCandidate, PictureSize } from './encoder-candidates.ts'
import type { EncoderTrial } from './try-encoders.ts'

/** A live video must not fall behind when the board has something else to do for a moment. */
const neededSpeed = 1.3

export interface EncoderVerdict {
  readonly trial: EncoderTrial
  /** It keeps up with the camera within the budget. */
  readonly fits: boolean
}

/** Which encoders keep up, using no more than `maxCores` of processor time. Pure. */
export function judgeTrials(trials: readonly EncoderTrial[], maxCores: number): readonly EncoderVerdict[] {
  return trials.map((trial) => ({
    trial,
    fits: trial.outcome === 'measured' && trial.speed >= neededSpeed && trial.cores <= maxCores,
  }))
}

/**
 * The one to take: MPEG-1 where it fits, as every page of the fleet shows it; else what costs least. Copying is never
 * the advice, as only the camera's owner knows whether it encodes. Pure.
 */
export function chosenEncoder(verdicts: readonly EncoderVerdict[]): EncoderCandidate | undefined {
  const fitting = verdicts.flatMap(({ trial, fits }) =>
    fits && trial.outcome === 'measured' && !trial.candidate.copies ? [trial] : [],
  )
  const mpeg1 = fitting.find(({ candidate }) => candidate.preset === 'mpeg1-compat')
  return (mpeg1 ?? fitting.toSorted((a, b) => a.cores - b.cores)[0])?.candidate
}

/** Table and advice for people. Pure. */
export function encoderReport(
  verdicts: readonly EncoderVerdict[],
  { picture, maxCores }: { readonly picture: PictureSize; readonly maxCores: number },
): string {
  const { size, framesPerSecond, bitsPerSecond } = picture
  const rows = [['encoder', 'of one core', 'speed', ''], ...verdicts.map(rowOf)]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const title = `${size} at ${framesPerSecond} frames/s and ${Math.round(bitsPerSecond / 1000)} kbit/s, at most ${percent(maxCores)} of one core:`
  return `${[title, '', ...table, '', adviceFor(chosenEncoder(verdicts))].join('\n')}\n`
}

function rowOf({ trial, fits }: EncoderVerdict): string[] {
  const { name } = trial.candidate
  if (trial.outcome !== 'measured') return [name, '-', '-', `${trial.outcome}: ${trial.reason}`]
  const { cores, speed } = trial
  return [name, percent(cores), `${speed.toFixed(1)}x`, fits ? 'fits' : whyNot(speed)]
}

function whyNot(speed: number): string {
  return speed < neededSpeed ? 'too slow' : 'costs too much'
}

function percent(cores: number): string {
  return `${Math.round(cores * 100)} %`
}

function adviceFor(chosen: EncoderCandidate | undefined): string {
  if (chosen === undefined)
    return 'none keeps up: take a smaller size or fewer frames, or a camera that encodes (h264-copy)'
  if (chosen.preset !== 'custom') return `take "preset: ${chosen.name}"`
  const args = [...chosen.before, '-f', 'v4l2', '-i', 'DEVICE', ...chosen.codec]
  return `take "preset: custom" with "arguments: [${args.map((arg) => `'${arg}'`).join(', ')}]"`
}
