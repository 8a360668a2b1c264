import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { AppError } from '@relay/common/errors'
import { LineReader } from '../instrument/line-reader.ts'

export interface ProcessOptions {
  /** What a person calls it: "relay". */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Added to our own environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Called with each line of its stdout. */
  readonly onLine?: (line: string) => void
}

/** How a process ended: with an exit code, or by a signal. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const keptLines = 20
const keptLineChars = 500
const maxLineBytes = 8192
/** Something in another group may hold the output open for ever; what it says is not waited for. */
const lastWordsWithinMs = 1000
/** What `setpriv` and shells answer when there is no such program. */
const notFoundCode = 127

/**
 * One child process and everything it starts. Invariants: it leads a process group of its own, so `stop` reaches its
 * grandchildren too; it gets SIGTERM when we die in whatever way, SIGKILL included (`setpriv --pdeathsig`, done by the
 * kernel, so it needs no help from the child; a child that watches its stdin would have to be written for it); `ended`
 * settles once and never rejects.
 */
export class OwnedProcess implements AsyncDisposable {
  readonly name: string
  readonly ended: Promise<ProcessEnd>
  readonly #child: ChildProcess
  readonly #lastErrors: string[] = []
  readonly #lastOutput: string[] = []
  #end: ProcessEnd | undefined

  private constructor(name: string, child: ChildProcess, onLine: ((line: string) => void) | undefined) {
    this.name = name
    this.#child = child
    this.#read(child.stderr, (line) => keep(this.#lastErrors, line))
    this.#read(child.stdout, (line) => {
      keep(this.#lastOutput, line)
      onLine?.(line)
    })
    // 'close' and not 'exit': what it said last has been read by then.
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#end = { code, signal }
        resolve(this.#end)
      })
    })
    child.on('exit', () => {
      // What it leaves behind must neither meet its successor nor hold its output open.
      this.#signalGroup('SIGKILL')
      setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, lastWordsWithinMs).unref()
    })
    // Failing to start is told by `start`; a signal that cannot be sent means that it has gone.
    child.on('error', () => undefined)
  }

  /**
   * Starts it.
   * @throws {AppError} `PROCESS_NOT_STARTED` when the system refuses.
   */
  static async start({ name, command, args, env = {}, cwd, onLine }: ProcessOptions): Promise<OwnedProcess> {
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', command, ...args], {
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    })
    const owned = new OwnedProcess(name, child, onLine)
    try {
      await once(child, 'spawn')
    } catch (cause) {
      throw new AppError('PROCESS_NOT_STARTED', `${name} cannot be started`, { cause })
    }
    return owned
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get isAlive(): boolean {
    return this.#end === undefined
  }

  /** It never ran, because there is no such program on this machine. */
  get isMissing(): boolean {
    return this.#end?.code === notFoundCode
  }

  /** The last lines it said on stderr, newest last; on stdout where it said nothing there. */
  get lastLines(): readonly string[] {
    return this.#lastErrors.length > 0 ? this.#lastErrors : this.#lastOutput
  }

  /** Ends it as a crash would, together with all it started; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#signalGroup('SIGKILL')
    await this.ended
  }

  /** Asks it to end, waits `graceMs`, then kills what is left of its group; resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    // Only the leader is asked: it knows in which order its own children must go.
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#signalGroup('SIGKILL'), graceMs)
    await this.ended
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(2000)
  }

  #signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal)
    } catch {
      // ESRCH: nobody of the group is left, which is what we want.
    }
  }

  #read(stream: Readable | null, take: (line: string) => void): void {
    if (stream === null) return
    const reader = new LineReader({ maxLineBytes })
    stream.on('data', (bytes: Buffer) => {
      for (const line of reader.push(bytes)) take(line.kind === 'line' ? line.text : '(a very long line)')
    })
    stream.on('error', () => {})
  }
}

function keep(lines: string[], line: string): void {
  if (line.trim() === '') return
  lines.push(line.slice(0, keptLineChars))
  if (lines.length > keptLines) lines.shift()
}
