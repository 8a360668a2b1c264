import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@relay/common/errors'
import { within } from './mailbox.ts'
import { openSocket } from './raw-http.ts'

export interface ProgramExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const keptOutputChars = 16_384
/** Our programs drain within 5 s of SIGTERM; one that takes longer is killed. */
const stopGraceMs = 7_000
const probeEveryMs = 25

/** A program under test as a real child process that sees the given environment and PATH, and nothing else. */
export class ChildProgram {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #exited = Promise.withResolvers<ProgramExit>()
  #exit: ProgramExit | undefined
  #stdout = ''
  #stderr = ''

  /** @param onOutput gets everything that it writes, as it comes. */
  constructor(
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    onOutput: (text: string) => void = () => undefined,
  ) {
    const [executable = '', ...words] = command
    this.#name = words.at(-1) ?? executable
    this.#child = spawn(executable, words, {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      onOutput(text)
      this.#stdout = (this.#stdout + text).slice(-keptOutputChars)
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      onOutput(text)
      this.#stderr = (this.#stderr + text).slice(-keptOutputChars)
    })
    this.#child.once('error', (error) => {
      this.#stderr += error.message
      this.#onExit({ code: null, signal: null })
    })
    // `close` and not `exit`: by then all output has arrived.
    this.#child.once('close', (code, signal) => this.#onExit({ code, signal }))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The last part of what it wrote. */
  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** How it ended; undefined while it runs. */
  get exit(): ProgramExit | undefined {
    return this.#exit
  }

  /** How it ended; undefined when it still runs after the time. */
  whenExited(withinMs: number): Promise<ProgramExit | undefined> {
    return within(this.#exited.promise, withinMs)
  }

  /** Resolves when every port takes connections. Throws `GOLDEN_START` when it exits or the time is over. */
  async whenListening(ports: readonly number[], withinMs: number): Promise<void> {
    const giveUpAtMs = performance.now() + withinMs
    for (const port of ports) {
      while (!(await takesConnections(port))) {
        if (this.#exit !== undefined) throw this.#startError('exited before it listened')
        if (performance.now() > giveUpAtMs) throw this.#startError(`does not listen on port ${String(port)}`)
        await sleep(probeEveryMs)
      }
    }
  }

  /** For people: how it ended and the last lines it wrote. */
  describe(): string {
    const { code, signal } = this.#exit ?? { code: 'running', signal: null }
    const output = `${this.#stdout}\n${this.#stderr}`.trim().split('\n').slice(-12).join('\n    ')
    return `${this.#name}: exit ${String(signal ?? code)}; last output:\n    ${output}`
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** SIGTERM, and SIGKILL to one that does not go. Returns how it ended. */
  async stop(graceMs = stopGraceMs): Promise<ProgramExit> {
    this.#child.kill('SIGTERM')
    const exit = await this.whenExited(graceMs)
    if (exit !== undefined) return exit
    this.#child.kill('SIGKILL')
    return this.#exited.promise
  }

  #onExit(exit: ProgramExit): void {
    this.#exit ??= exit
    this.#exited.resolve(this.#exit)
  }

  #startError(why: string): AppError {
    return new AppError('GOLDEN_START', `${this.#name} ${why}; ${this.describe()}`)
  }
}

/** Whether something accepts TCP connections there. */
export async function takesConnections(port: number): Promise<boolean> {
  try {
    const socket = await openSocket(port, 2_000)
    socket.destroy()
    return true
  } catch {
    return false
  }
}
