import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@relay/common/errors'
import { PtyPair } from '../src/pty/pty-pair.ts'
import { BenchAgent } from './bench-agent.ts'
import type { RelayServer } from './relay-server.ts'

/** From the write of a line by the instrument until it has been read, in milliseconds. */
export interface DataDelay {
  /** Through agent and relay, at a viewer. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Read from the same kind of cable with nothing in between, in the same run. */
  readonly directP50Ms: number
  readonly directP99Ms: number
  /** What agent, relay and two connections add: the difference of the two. */
  readonly addedP99Ms: number
  readonly lines: number
}

const everyMs = 10
const warmLines = 200

/** Lines at 100 a second, with video going out beside them, through the agent and along a bare cable in turn. */
export async function measureDataDelay(
  started: RelayServer,
  program: string,
  measureMs: number,
): Promise<DataDelay> {
  await using relay = started
  await using agent = await BenchAgent.prepare(relay, { program, hasCamera: true })
  await using bare = await PtyPair.create()
  await agent.start()
  const viewer = await agent.view('data')
  const reader = createReadStream(bare.hostPath)
  const device = createWriteStream(agent.cable.devicePath)
  const bareDevice = createWriteStream(bare.devicePath)
  // A cable that ends under a reader tells so (EIO); lines that are missing are counted below.
  reader.on('error', () => undefined)
  for (const stream of [device, bareDevice]) stream.on('error', () => undefined)
  try {
    const through = new Stopwatch()
    const direct = new Stopwatch()
    viewer.on('message', (data: Buffer) => through.stop(data.toString()))
    reader.setEncoding('utf8').on('data', (text) => {
      for (const line of String(text).split('\n')) direct.stop(line)
    })
    await once(viewer, 'open')
    const lines = warmLines + Math.round(measureMs / everyMs)
    for (let n = 0; n < lines; n += 1) {
      device.write(through.start(n))
      bareDevice.write(direct.start(n))
      await sleep(everyMs)
    }
    await sleep(500)
    const [a, b] = [through.delays(warmLines), direct.delays(warmLines)]
    if (a.length < (lines - warmLines) * 0.99 || b.length === 0)
      throw new AppError('LINES_LOST', `of ${lines - warmLines} lines ${a.length} came through the agent`)
    return {
      p50Ms: quantile(a, 0.5),
      p99Ms: quantile(a, 0.99),
      directP50Ms: quantile(b, 0.5),
      directP99Ms: quantile(b, 0.99),
      addedP99Ms: quantile(a, 0.99) - quantile(b, 0.99),
      lines: a.length,
    }
  } finally {
    reader.destroy()
    device.destroy()
    bareDevice.destroy()
  }
}

/** When numbered lines were written and read. */
class Stopwatch {
  readonly #startedAtMs: number[] = []
  readonly #delaysMs = new Map<number, number>()

  /** The line to write now. */
  start(n: number): string {
    this.#startedAtMs[n] = performance.now()
    return `{"n":${n}}\n`
  }

  stop(line: string): void {
    const n = Number(/^\{"n":(\d+)\}/.exec(line)?.[1] ?? Number.NaN)
    const startedAtMs = this.#startedAtMs[n]
    if (startedAtMs !== undefined) this.#delaysMs.set(n, performance.now() - startedAtMs)
  }

  /** Of the lines from number `first` on. */
  delays(first: number): readonly number[] {
    return [...this.#delaysMs].filter(([n]) => n >= first).map(([, delayMs]) => delayMs)
  }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}
