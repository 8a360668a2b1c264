import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { eventually } from '../../agent/test/eventually.ts'
import { PtyPair } from '../../agent/test/pty-pair.ts'

/**
 * An agent in the form in which it is shipped, with an instrument behind a pty and a client of its local API. Everything
 * that it needs lies in a folder of its own, which is also its home.
 */
export class ShippedAgent implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #cable: PtyPair
  readonly #home: string
  readonly #heard: string[] = []
  #output = ''
  #client: WebSocket | undefined

  private constructor(command: readonly string[], home: string, cable: PtyPair) {
    this.#home = home
    this.#cable = cable
    const config = join(home, 'agent.yaml')
    writeFileSync(
      config,
      [
        'localApi: { host: 127.0.0.1, port: 0 }',
        "status: { socket: '' }",
        `instruments: [{ name: board, feed: data, device: ${cable.device} }]`,
      ].join('\n'),
    )
    const [file = '', ...args] = command
    this.#child = spawn(file, [...args, 'run', '--config', config], {
      env: { PATH: process.env['PATH'] ?? '', HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString()
      })
  }

  /** Starts it by `command`, to which `run` is added, and waits until its local API answers. */
  static async start(command: readonly string[]): Promise<ShippedAgent> {
    const home = mkdtempSync(join(tmpdir(), 'shipped-agent-'))
    const cable = new PtyPair(home)
    await cable.plug()
    const agent = new ShippedAgent(command, home, cable)
    try {
      await agent.#connect()
    } catch (error) {
      await agent[Symbol.asyncDispose]()
      throw error
    }
    return agent
  }

  /** Sends a line from the instrument to the client and one back; gives what arrived. */
  async exchangeLines(): Promise<{ readonly client: readonly string[]; readonly instrument: string }> {
    const show = (): unknown => this.#output.slice(-2000)
    // The port may still be opening: what a board says before that is lost, as on the bench.
    const talk = setInterval(() => this.#cable.say('{"angle":1.5}\n'), 200)
    try {
      await eventually(() => this.#heard.length > 0, { withinMs: 60_000, show })
    } finally {
      clearInterval(talk)
    }
    this.#client?.send('{"set":"mode"}')
    await eventually(() => this.#cable.received.endsWith('\n'), { withinMs: 30_000, show })
    return { client: this.#heard.slice(0, 1), instrument: this.#cable.received }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.terminate()
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await gone
    }
    await this.#cable.unplug()
    rmSync(this.#home, { recursive: true, force: true })
  }

  async #connect(): Promise<void> {
    let port: string | undefined
    await eventually(
      () => {
        port = /"port":(\d+),"msg":"local API is served"/.exec(this.#output)?.[1]
        return port !== undefined || this.#child.exitCode !== null
      },
      { withinMs: 60_000, show: () => this.#output },
    )
    if (port === undefined) throw new Error(`the agent has ended: ${this.#output}`)
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws/data`)
    this.#client = client
    client.on('message', (data: Buffer) => void this.#heard.push(data.toString()))
    client.on('error', () => undefined)
    await once(client, 'open')
  }
}
