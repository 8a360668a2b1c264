import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface ProgramChildOptions {
  /** Path of what Node runs. */
  readonly path: string
  readonly arguments: readonly string[]
  /** All of the child's environment but `PATH`. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** One of our programs as a real process. Use it with `await using`: it is killed where it still runs. */
export class ProgramChild implements AsyncDisposable {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  #wake: () => void = () => {}
  #hasEnded = false

  constructor({ path, arguments: words, environment = {} }: ProgramChildOptions) {
    this.process = spawn(process.execPath, [path, ...words], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...environment },
    })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#wake()
    })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#wake()
    })
    this.ended = this.#end()
  }

  /** Resolves when stdout, or stderr, matches; rejects with all output when the process ends before. */
  async prints(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
    while (!pattern.test(this[stream])) {
      if (this.#hasEnded) throw new Error(`ended without ${pattern}: ${this.stdout}${this.stderr}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this[stream]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL')
    await this.ended
  }

  async #end(): Promise<Ended> {
    const [code] = (await once(this.process, 'close')) as [number | null]
    this.#hasEnded = true
    this.#wake()
    return { code, stdout: this.stdout, stderr: this.stderr }
  }
}
