import { readdir } from 'node:fs/promises'
import { residentBytes } from '../bench/process-figures.ts'
import { machineMs } from './machine-ms.ts'
import { type Sample, type Trend, trendOf } from './trend.ts'

export interface ProcessFigures {
  readonly residentBytes: Trend
  readonly descriptors: Trend
}

/** What a process holds, over time and over its restarts. */
export class ProcessWatch {
  readonly #pid: () => number | undefined
  readonly #resident: Sample[] = []
  readonly #descriptors: Sample[] = []

  /** @param pid of the process of the moment; undefined while there is none. */
  constructor(pid: () => number | undefined) {
    this.#pid = pid
  }

  /** Looks at it now; nothing is noted while it is down. */
  async sample(): Promise<void> {
    const pid = this.#pid()
    if (pid === undefined) return
    try {
      const [bytes, { length }] = await Promise.all([residentBytes(pid), readdir(`/proc/${pid}/fd`)])
      const atMs = machineMs()
      // One that has just died has no memory.
      if (!(bytes > 0)) return
      this.#resident.push({ atMs, pid, value: bytes })
      this.#descriptors.push({ atMs, pid, value: length })
    } catch {
      // It ended while we looked.
    }
  }

  get last(): { readonly residentBytes: number; readonly descriptors: number } | undefined {
    const [resident, descriptors] = [this.#resident.at(-1), this.#descriptors.at(-1)]
    if (resident === undefined || descriptors === undefined) return undefined
    return { residentBytes: resident.value, descriptors: descriptors.value }
  }

  figures(warmUpMs: number): ProcessFigures {
    return {
      residentBytes: trendOf(this.#resident, { warmUpMs }),
      descriptors: trendOf(this.#descriptors, { warmUpMs }),
    }
  }
}
