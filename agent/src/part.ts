import type { Progress } from '@relay/common/progress'

/** Something of the agent with a life of its own: a camera, an instrument, an uplink, a server. */
export interface Part {
  /** For people, and unique within the agent: `camera front`. */
  readonly name: string
  /** What it owes to the watchdog. */
  readonly progress: Progress
  /** Runs until `signal` aborts; by then it holds nothing any more. A fault of its hardware never rejects. */
  run(signal: AbortSignal): Promise<void>
}
