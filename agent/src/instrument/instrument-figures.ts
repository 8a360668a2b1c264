/** What the status of an instrument tells beside its counters, in few words. Pure. */
export function instrumentFigures(facts: Readonly<Record<string, unknown>>): readonly string[] {
  const { garbageBytes, renames, opened, recording } = facts
  return [
    ...(typeof garbageBytes === 'number' && garbageBytes > 0
      ? [`garbage ${garbageBytes} bytes (is baudRate right?)`]
      : []),
    ...(typeof renames === 'number' && renames > 0 ? [`now as ${String(opened)}`] : []),
    ...recordingFigures(recording),
  ]
}

function recordingFigures(recording: unknown): readonly string[] {
  if (typeof recording !== 'object' || recording === null) return []
  const { state, lostBytes } = recording as Readonly<Record<string, unknown>>
  return [
    ...(state === 'full' || state === 'failed' ? [`recording ${state}`] : []),
    ...(typeof lostBytes === 'number' && lostBytes > 0 ? [`not recorded ${lostBytes} bytes`] : []),
  ]
}
