import { instrumentFigures } from '../instrument/instrument-figures.ts'
import { cameraFigures } from '../video/camera-figures.ts'
import { shellFigures } from '../shell-host/shell-figures.ts'
import type { Activity } from './activity.ts'
import { ageText } from './age-text.ts'
import type { HealthPart } from './health-part.ts'

/** Counters that people want to see whatever they are; others only when they are not 0, or not at all. */
const alwaysShown: ReadonlyMap<string, string> = new Map([
  ['frames', 'frames'],
  ['receivedMessages', 'received'],
  ['sentMessages', 'sent'],
  ['writtenMessages', 'written'],
  ['viewers', 'viewers'],
])
/** What speaks of trouble. */
const shownAboveZero: ReadonlyMap<string, string> = new Map([
  ['droppedCommands', 'dropped'],
  ['droppedMessages', 'dropped'],
  ['droppedLiveMessages', 'dropped live'],
  ['droppedQueuedMessages', 'dropped queued'],
  ['queuedMessages', 'waiting'],
  ['restarts', 'restarts'],
  ['reopens', 'reopened'],
  ['reconnects', 'reconnects'],
  ['cutLines', 'lines cut'],
  ['repairedLines', 'lines repaired'],
  ['skippedBytes', 'bytes skipped'],
])

/** What a part does, in few words: `24 frames/s, feed video, frames 1200, restarts 2`. Pure. */
export function partFigures({ kind, works, facts }: HealthPart, activity: Activity | undefined): string {
  const { feed, roundTripMs } = facts
  return [
    // An uplink is as busy as the feed behind it, which is told of there.
    ...(kind === 'uplink' ? [] : paceText(kind, works, activity)),
    ...(typeof feed === 'string' ? [`feed ${feed}`] : []),
    ...(typeof roundTripMs === 'number' ? [`round trip ${roundTripMs.toFixed(0)} ms`] : []),
    ...[...alwaysShown].flatMap(([key, word]) => numberText(word, facts[key], -1)),
    ...[...shownAboveZero].flatMap(([key, word]) => numberText(word, facts[key], 0)),
    ...(kind === 'camera' ? cameraFigures(facts) : []),
    ...(kind === 'instrument' ? instrumentFigures(facts) : []),
    ...(kind === 'shell' ? shellFigures(facts) : []),
  ].join(', ')
}

/** Quiet for longer than this is told instead of a rate. */
const longQuietMs = 5_000

function paceText(kind: string, works: boolean, activity: Activity | undefined): readonly string[] {
  if (!works || activity === undefined) return []
  const { perSecond, quietMs } = activity
  if (quietMs === undefined) return ['nothing yet']
  if (quietMs > longQuietMs) return [`quiet for ${ageText(quietMs)}`]
  if (perSecond === undefined) return []
  return [`${rateText(perSecond)} ${kind === 'camera' ? 'frames' : 'messages'}/s`]
}

/** Rates with as many digits as mean something. */
export function rateText(perSecond: number): string {
  return perSecond >= 9.95 ? perSecond.toFixed(0) : perSecond.toFixed(1)
}

function numberText(word: string, value: unknown, above: number): readonly string[] {
  return typeof value === 'number' && value > above ? [`${word} ${value}`] : []
}
