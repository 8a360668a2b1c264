import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface ChildOptions {
  /** Default: the Node that runs the test. */
  readonly node?: string
  readonly nodeArguments?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Its own process group, so that a signal can be sent to all of it as a terminal does. */
  readonly detached?: boolean
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** A program of `test/programs` as a process of its own; killed at the end of the test where it still runs. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  #out = ''
  #err = ''

  constructor(program: string, args: readonly string[], options: ChildOptions = {}) {
    const { node = process.execPath, nodeArguments = [], environment = {}, detached = false } = options
    const path = program.startsWith('/')
      ? program
      : fileURLToPath(new URL(`programs/${program}`, import.meta.url))
    const { NODE_OPTIONS: _unused, ...inherited } = process.env
    this.process = spawn(node, [...nodeArguments, path, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...inherited, ...environment },
      detached,
    })
    this.process.stdout?.on('data', (data: Buffer) => (this.#out += data.toString()))
    this.process.stderr?.on('data', (data: Buffer) => (this.#err += data.toString()))
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject)
      this.process.on('close', (code, signal) => resolve({ code, signal, out: this.#out, err: this.#err }))
    })
  }

  /** Resolves when its output holds `text`; rejects when it ends before. */
  async says(text: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.#out.includes(text) || this.#err.includes(text)) resolve()
      }
      this.process.stdout?.on('data', look)
      this.process.stderr?.on('data', look)
      look()
      this.ended.then(
        ({ code, err }) => reject(new Error(`it ended with ${code} and never said it: ${err}`)),
        reject,
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL')
    await this.ended.catch(() => undefined)
  }
}
