import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChildProgram } from '../../test-rig/src/golden/child-program.ts'
import { FreePorts } from '../../test-rig/src/golden/free-ports.ts'
import { EchoSshd } from '../../test-rig/src/shell/echo-sshd.ts'
import { whenListening } from '../../test-rig/src/shell/listening-port.ts'
import { shellToken } from '../../test-rig/src/shell/shell-token.ts'
import { until } from '../../test-rig/src/rig/until.ts'
import { type Outcome, runCommand } from './container/run-command.ts'

const id = 'pend00'
/** Emulated, on a busy machine. */
const slowlyMs = 100_000

/** Shell relay and shell host in the form in which they are shipped, and in place of sshd one that gives back what it gets. */
export class ShippedShell implements AsyncDisposable {
  readonly #command: readonly string[]
  readonly #home = mkdtempSync(join(tmpdir(), 'shipped-shell-'))
  readonly #secret = randomBytes(24).toString('hex')
  readonly #stack = new AsyncDisposableStack()
  #access = ''

  private constructor(command: readonly string[]) {
    this.#command = command
    this.#stack.defer(() => rmSync(this.#home, { recursive: true, force: true }))
  }

  /** Starts both by `command`, to which `serve` and `host` are added; the host is with the relay then. */
  static async start(command: readonly string[]): Promise<ShippedShell> {
    const shell = new ShippedShell(command)
    try {
      await shell.#start()
    } catch (error) {
      await shell[Symbol.asyncDispose]()
      throw error
    }
    return shell
  }

  /** What `shell connect` gives back for this input. */
  async connect(input: string): Promise<Outcome> {
    const target = ['--session', this.#session, '--token-file', this.#tokenFile('client')]
    const [file = '', ...words] = this.#command
    const settings = [`HOME=${this.#home}`, file, ...words, 'connect', id, '--quiet', ...target]
    return await runCommand('env', [...settings, '--wait', '60s'], { input, withinMs: slowlyMs })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #start(): Promise<void> {
    const free = new FreePorts()
    const ports = { access: await free.next(), websockets: await free.next() }
    this.#access = `http://127.0.0.1:${ports.access}`
    const echo = this.#stack.use(await EchoSshd.start())
    const relay = this.#run('serve', {
      SHELLRELAY_AUDIENCE: this.#access,
      SHELLRELAY_URL: `ws://127.0.0.1:${ports.websockets}`,
      SHELLRELAY_SECRET: this.#secret,
      SHELLRELAY_ACCESS_PORT: String(ports.access),
      SHELLRELAY_RELAY_PORT: String(ports.websockets),
      SHELLRELAY_METRICS_PORT: '0',
    })
    await whenListening(relay, [ports.access, ports.websockets], slowlyMs)
    const host = this.#run('host', {
      SHELL_HOST_SESSION: this.#session,
      SHELL_HOST_TOKEN_FILE: this.#tokenFile('host'),
      SHELL_HOST_SSHD_PORT: String(echo.port),
    })
    await until('the host at the relay', () => host.stdout.includes('the shell host is connected'), {
      withinMs: slowlyMs,
    })
  }

  #run(name: string, environment: Readonly<Record<string, string>>): ChildProgram {
    const program = new ChildProgram([...this.#command, name], { HOME: this.#home, ...environment })
    this.#stack.defer(async () => void (await program.stop()))
    return program
  }

  get #session(): string {
    return `${this.#access}/shell/${id}`
  }

  #tokenFile(scope: 'host' | 'client'): string {
    const file = join(this.#home, `${scope}.token`)
    const token = shellToken({ id, scope, prefix: 'shell', audience: this.#access, secret: this.#secret })
    writeFileSync(file, token, { mode: 0o600 })
    return file
  }
}
