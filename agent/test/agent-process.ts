import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ProcessOptions {
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Another launcher of the checkout, such as `relay/bin/session.mjs`. */
  readonly launcher?: string
}

/** `relay-agent` as a process, started as a user starts it. */
export class AgentProcess {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly #exited: Promise<readonly [number | null, NodeJS.Signals | null]>

  constructor({ args, environment = {}, launcher = 'agent/bin/relay-agent.mjs' }: ProcessOptions) {
    const file = fileURLToPath(new URL(`../../${launcher}`, import.meta.url))
    const child = spawn(process.execPath, [file, ...args], {
      env: { PATH: process.env.PATH ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child = child
    child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
    this.#exited = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Its exit code; null when a signal ended it. */
  async exitCode(): Promise<number | null> {
    const [code] = await this.#exited
    return code
  }

  /** Sends a signal and gives the exit code and how long it took. */
  async stop(
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<{ readonly code: number | null; readonly tookMs: number }> {
    const startedAtMs = performance.now()
    this.child.kill(signal)
    const code = await this.exitCode()
    return { code, tookMs: performance.now() - startedAtMs }
  }

  /** Log lines, parsed. */
  get log(): readonly Readonly<Record<string, unknown>>[] {
    return this.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  }
}
