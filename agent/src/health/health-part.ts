import type { AgentStatus } from '../agent-status.ts'
import type { Fault } from '@relay/common/fault'

/** A camera, instrument, uplink or server as health sees it, whatever else it is. */
export interface HealthPart {
  /** `camera`, `instrument`, `uplink`: one of its list, in words. */
  readonly kind: string
  /** `camera front`: unique within the agent. */
  readonly title: string
  readonly name: string
  /** As the part itself calls it: `live`, `waiting`. */
  readonly state: string
  /** It does what it is for, and nothing is wrong with it. */
  readonly works: boolean
  readonly fault: Fault | undefined
  /** How much it has brought so far: frames of a camera, messages of all others. */
  readonly count: number | undefined
  /** All that it tells about itself. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** What parts call the state in which they do what they are for. */
const workingStates: ReadonlySet<string> = new Set([
  'live',
  'open',
  'connected',
  'served',
  // A shell host beside a newer one of the same id.
  'standby',
])

/**
 * Every part that a status tells of, in its order. Lists that are not known here (of a newer agent, or of a kind of part
 * that was added) are taken as they are, if their items have a name and a state. Pure.
 */
export function healthParts(status: AgentStatus): readonly HealthPart[] {
  return Object.entries(status).flatMap(([key, value]: readonly [string, unknown]) =>
    Array.isArray(value) ? value.flatMap((item: unknown) => partOf(kindOf(key), item)) : [],
  )
}

/** The parts that people want to see: a server of the agent only while it is not served. Pure. */
export function shownParts(status: AgentStatus): readonly HealthPart[] {
  return healthParts(status).filter(({ kind, works }) => kind !== 'server' || !works)
}

function partOf(kind: string, item: unknown): readonly HealthPart[] {
  if (!isRecord(item)) return []
  const name = item.name ?? item.id
  const state = isRecord(item.state) ? item.state.kind : item.state
  if (typeof name !== 'string' || typeof state !== 'string') return []
  const fault = isFault(item.fault) ? item.fault : pictureFault(item.picture)
  const count = item.frames ?? item.receivedMessages
  return [
    {
      kind,
      title: `${kind} ${name}`,
      name,
      state,
      works: workingStates.has(state) && fault === undefined,
      fault,
      count: typeof count === 'number' ? count : undefined,
      facts: item,
    },
  ]
}

/** A camera that runs and shows nothing of use. */
function pictureFault(picture: unknown): Fault | undefined {
  if (!isRecord(picture) || typeof picture.sinceMs !== 'number') return undefined
  const atMs = picture.sinceMs
  switch (picture.state) {
    case 'frozen':
      return { code: 'CAMERA_FROZEN', message: 'the picture does not change by a single bit', atMs }
    case 'black':
      return { code: 'CAMERA_BLACK', message: 'the picture is black', atMs }
    default:
      return undefined
  }
}

/** `mqttInstruments` is a list of things called `MQTT instrument`. */
function kindOf(list: string): string {
  return list
    .replace(/s$/, '')
    .replace(/^mqtt/, 'MQTT')
    .replaceAll(/[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim()
}

function isFault(value: unknown): value is Fault {
  return (
    isRecord(value) &&
    typeof value.code === 'string' &&
    typeof value.message === 'string' &&
    typeof value.atMs === 'number'
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
