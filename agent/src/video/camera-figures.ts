/** What a camera tells of beyond its counters, in few words: `picture frozen`, `no sound`. Pure; takes any facts. */
export function cameraFigures(facts: Readonly<Record<string, unknown>>): readonly string[] {
  const picture = stateOf(facts.picture)
  const isLost = picture === 'frozen' || picture === 'black'
  return [
    ...(isLost ? [`picture ${picture}`] : []),
    ...(stateOf(facts.audio) === 'failed' ? [`no sound (${messageOf(facts.audio)})`] : []),
    ...countsOf(facts.recovery),
  ]
}

function stateOf(value: unknown): unknown {
  return isRecord(value) ? value.state : undefined
}

function messageOf(value: unknown): string {
  const fault = isRecord(value) ? value.fault : undefined
  return isRecord(fault) && typeof fault.message === 'string' ? fault.message : 'no reason is known'
}

function countsOf(value: unknown): readonly string[] {
  if (!isRecord(value)) return []
  const { usbResets, powerCycles } = value
  return [
    ...(typeof usbResets === 'number' && usbResets > 0 ? [`USB resets ${usbResets}`] : []),
    ...(typeof powerCycles === 'number' && powerCycles > 0 ? [`power cycles ${powerCycles}`] : []),
    ...(isRecord(value.fault) ? [`cannot be reset: ${messageOf(value)}`] : []),
  ]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
