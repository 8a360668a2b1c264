import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { AppError } from '@relay/common/errors'

/** What the load generator tells about a fan-out run. */
export interface FanOutFigures {
  readonly seconds: number
  readonly publishedMessages: number
  /** Payload of whole messages at all viewers together. */
  readonly deliveredBytes: number
  /** Of the server alone, all its threads. */
  readonly serverCpuS: number
  /** Of generator and sink. */
  readonly loadCpuS: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Messages which did not come within 5 s of the end. */
  readonly lost: number
  /** Messages out of order, repeated or damaged. */
  readonly gaps: number
  readonly closed: number
}

/** What the load generator tells about connection set-ups. */
export interface SetUpFigures {
  readonly seconds: number
  readonly setUps: number
  readonly refused: number
  readonly serverCpuS: number
  readonly loadCpuS: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export type LoadOptions = Readonly<Record<string, string | number>>

interface LoadRun {
  readonly mode: 'fan-out' | 'idle' | 'set-ups'
  readonly options: LoadOptions
  /** Written to its stdin: one-time paths, a token. */
  readonly lines: readonly string[]
}

type LoadChild = ChildProcessByStdio<Writable, Readable, Readable>

const longestRunMs = 120_000

/** The load generator as a child process which prints JSON lines. Ends with us. */
export class Load implements AsyncDisposable {
  readonly #child: LoadChild
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface
  readonly #ended: Promise<unknown>
  #complaint = ''

  constructor(program: string, { mode, options, lines }: LoadRun) {
    const args = Object.entries(options).map(([name, value]) => `${name}=${value}`)
    // The deadline is for the whole life: a server that hangs must not hang the benchmark.
    this.#child = spawn(program, [mode, ...args], { stdio: ['pipe', 'pipe', 'pipe'], timeout: longestRunMs })
    this.#reader = createInterface({ input: this.#child.stdout })
    this.#lines = this.#reader[Symbol.asyncIterator]()
    this.#child.stderr.on('data', (bytes: Buffer) => {
      this.#complaint = `${this.#complaint}${bytes.toString('utf8')}`.slice(-1000)
    })
    this.#ended = new Promise((resolve) => this.#child.on('close', resolve).on('error', resolve))
    this.#child.stdin.on('error', () => undefined)
    this.#child.stdin.write(lines.map((line) => `${line}\n`).join(''))
  }

  /**
   * The next JSON line it prints.
   * @throws {AppError} `LOAD_FAILED` with what it said, when it ends without one.
   */
  async next(): Promise<unknown> {
    const line = await this.#lines.next()
    if (line.done !== true) return JSON.parse(line.value)
    // Only then all of its stderr has been read.
    await this.#ended
    throw new AppError(
      'LOAD_FAILED',
      `the load generator gave up: ${this.#complaint.trim() || 'no reason given'}`,
    )
  }

  /**
   * Ends the idle mode.
   * @throws {AppError} `CONNECTIONS_LOST` when the server closed any that should have been held.
   */
  async end(): Promise<void> {
    this.#child.stdin.end()
    const { closed } = (await this.next()) as { readonly closed: number }
    if (closed > 0) throw new AppError('CONNECTIONS_LOST', `the server closed ${closed} idle connections`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    this.#reader.close()
    await this.#ended
  }
}

/** Runs fan-out load to its end. */
export async function runFanOut(
  program: string,
  options: LoadOptions,
  lines: readonly string[],
): Promise<FanOutFigures> {
  await using load = new Load(program, { mode: 'fan-out', options, lines })
  return (await load.next()) as FanOutFigures
}

/** Sets connections up for a while. */
export async function runSetUps(
  program: string,
  options: LoadOptions,
  lines: readonly string[],
): Promise<SetUpFigures> {
  await using load = new Load(program, { mode: 'set-ups', options, lines })
  return (await load.next()) as SetUpFigures
}
