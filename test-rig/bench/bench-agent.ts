import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exchangeToken } from '@relay/common/exchange-token'
import { WebSocket } from 'ws'
import { stringify } from 'yaml'
import { nodeFlags } from '../../agent/src/node-flags.ts'
import { childEnvironment } from '../src/lab/child-environment.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { programPaths } from '../src/lab/program-paths.ts'
import { PtyPair } from '../src/pty/pty-pair.ts'
import type { RelayServer } from './relay-server.ts'

export interface BenchAgentOptions {
  /** Its bundle or its source. */
  readonly program: string
  /** Test pattern at 1 Mbit/s by a real ffmpeg. */
  readonly hasCamera?: boolean
  /** Lines per second of a simulated pendulum; undefined: the caller speaks at the device's end of the cable. */
  readonly linesPerSec?: number
  readonly environment?: Readonly<Record<string, string>>
  /** Of Node; default: as the package has them. */
  readonly flags?: readonly string[]
}

const kilobitsPerSecond = 1000
const exchangeTimeoutMs = 10_000
export const topics = { video: 'agent-video', data: 'agent-data' } as const

/** The agent of a board as a process of its own: a camera, an instrument at a serial cable, a link for each. */
export class BenchAgent implements AsyncDisposable {
  readonly cable: PtyPair
  readonly #relay: RelayServer
  readonly #options: BenchAgentOptions
  readonly #folder: string
  readonly #stack: AsyncDisposableStack
  #process: OwnedProcess | undefined

  private constructor(
    relay: RelayServer,
    options: BenchAgentOptions,
    own: { readonly cable: PtyPair; readonly folder: string; readonly stack: AsyncDisposableStack },
  ) {
    this.#relay = relay
    this.#options = options
    this.cable = own.cable
    this.#folder = own.folder
    this.#stack = own.stack
  }

  /** Everything but the agent itself, which `start` starts. */
  static async prepare(relay: RelayServer, options: BenchAgentOptions): Promise<BenchAgent> {
    await using stack = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'relay-bench-agent-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const cable = stack.use(await PtyPair.create(folder))
    for (const [feed, topic] of Object.entries(topics))
      await writeFile(join(folder, `${feed}.token`), await relay.token(['read', 'write'], topic), {
        mode: 0o600,
      })
    await writeFile(join(folder, 'agent.yaml'), stringify(configOf(relay, cable, options)))
    if (options.linesPerSec !== undefined) {
      const args = [programPaths.instrument, '--tty', cable.devicePath, '--rate', String(options.linesPerSec)]
      stack.use(await OwnedProcess.start({ name: 'instrument', command: process.execPath, args }))
    }
    return new BenchAgent(relay, options, { cable, folder, stack: stack.move() })
  }

  /** Starts the agent; `restart` by calling it again after `stop`. */
  async start(): Promise<void> {
    this.#process = await OwnedProcess.start({
      name: 'agent',
      command: process.execPath,
      args: [
        ...(this.#options.flags ?? nodeFlags),
        this.#options.program,
        'run',
        '--config',
        join(this.#folder, 'agent.yaml'),
      ],
      env: childEnvironment(process.env, {
        RELAY_AGENT_STATUS_SOCKET: join(this.#folder, 'status.sock'),
        ...this.#options.environment,
      }),
    })
  }

  async stop(): Promise<void> {
    await this.#process?.stop(5_000)
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  get lastLines(): readonly string[] {
    return this.#process?.lastLines ?? []
  }

  /** A viewer of one of its topics. */
  async view(what: keyof typeof topics): Promise<WebSocket> {
    const topic = topics[what]
    const access = `${this.#relay.access}/session/${topic}`
    const token = await this.#relay.token(['read', 'write'], topic)
    const socket = new WebSocket(await exchangeToken({ access, token, timeoutMs: exchangeTimeoutMs }))
    this.#stack.defer(() => socket.terminate())
    return socket
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.#stack.disposeAsync()
  }
}

function configOf(relay: RelayServer, cable: PtyPair, { hasCamera }: BenchAgentOptions): object {
  return {
    name: 'bench',
    relay: { access: relay.access },
    localApi: { port: 0 },
    cameras:
      hasCamera === true
        ? [{ name: 'camera', feed: 'video', preset: 'test-pattern', kilobitsPerSecond }]
        : [],
    instruments: [{ name: 'instrument', feed: 'data', device: cable.hostPath }],
    topics: Object.entries(topics).map(([feed, topic]) => ({ topic, feed, tokenFile: `${feed}.token` })),
  }
}
