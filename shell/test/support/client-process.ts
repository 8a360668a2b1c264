import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Tokens of tests need no signature: only what they say is looked at by a client. */
export function fakeToken(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`
}

/** The `shell` program as a process, with what it said. */
export class ClientProcess implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams
  stderr = ''
  stdoutText = ''
  readonly #exit: Promise<number | string>

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [program, ...args], {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
      stdio: 'pipe',
    })
    this.child.stderr.on('data', (data: Buffer) => {
      this.stderr += data.toString()
    })
    // It may end before it has taken what it was given.
    this.child.stdin.on('error', () => undefined)
    this.#exit = once(this.child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  }

  /** Keeps what it prints as text, for programs that print little. */
  collect(): this {
    this.child.stdout.on('data', (data: Buffer) => {
      this.stdoutText += data.toString()
    })
    return this
  }

  /** Exit code, or the name of the signal that ended it. */
  get exit(): Promise<number | string> {
    return this.#exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.#exit
  }
}
