import type { Fault } from '@relay/common/fault'
import type { HealthPart } from './health-part.ts'

/** A fault that a part has or had. */
export interface RecentFault extends Fault {
  /** `camera front`. */
  readonly part: string
  /** The part has it no more. */
  readonly isOver: boolean
}

/** As many as a person reads. */
const maxFaults = 10

/** Remembers what went wrong lately, also when it is well again: the last time of each kind of fault of each part. */
export class RecentFaults {
  /** The newest last. */
  readonly #faults = new Map<string, RecentFault>()

  /** Looks at what is wrong now. */
  look(parts: readonly HealthPart[]): void {
    const now = new Map(
      parts.flatMap(({ title, fault }) =>
        fault === undefined ? [] : [[keyOf(title, fault), { title, fault }]],
      ),
    )
    for (const [key, fault] of this.#faults)
      if (!now.has(key) && !fault.isOver) this.#faults.set(key, { ...fault, isOver: true })
    for (const [key, { title, fault }] of now) {
      const before = this.#faults.get(key)
      if (before?.isOver === false && before.atMs === fault.atMs) continue
      this.#faults.delete(key)
      this.#faults.set(key, { ...fault, part: title, isOver: false })
    }
    for (const key of [...this.#faults.keys()].slice(0, -maxFaults)) this.#faults.delete(key)
  }

  /** The newest first. */
  get list(): readonly RecentFault[] {
    return [...this.#faults.values()].reverse()
  }
}

function keyOf(title: string, { code }: Fault): string {
  return `${title} ${code}`
}
