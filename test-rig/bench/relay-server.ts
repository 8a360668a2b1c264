import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exchangeToken } from '@relay/common/exchange-token'
import { UnavailableError } from '@relay/common/errors'
import { childEnvironment } from '../src/lab/child-environment.ts'
import { freePorts } from '../src/lab/free-port.ts'
import { LabTokens } from '../src/lab/lab-tokens.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { untilAnswers } from '../src/lab/until-answers.ts'
import type { ServerUnderTest } from './server-under-test.ts'

const topic = 'bench-video'
const host = '127.0.0.1'
const readyWithinMs = 30_000
const exchangeTimeoutMs = 20_000
const exchangesAtOnce = 16
const tokenLifetimeSec = 3600

/**
 * Our relay with its default settings, but for the rate limits: they are for strangers, and one address that opens
 * thousands of connections is what they are there to slow down.
 */
export class RelayServer implements ServerUnderTest {
  readonly kind = 'relay'
  readonly proto = 'ws'
  readonly port: number
  /** Address of the access API. */
  readonly access: string
  readonly tokens: LabTokens
  readonly #accessPort: number
  readonly #directory: string
  readonly #process: OwnedProcess

  private constructor(
    process: OwnedProcess,
    where: {
      readonly directory: string
      readonly secret: string
      readonly accessPort: number
      readonly port: number
    },
  ) {
    this.#process = process
    this.#directory = where.directory
    this.#accessPort = where.accessPort
    this.port = where.port
    this.access = `http://${host}:${where.accessPort}`
    this.tokens = new LabTokens(this.access, where.secret)
  }

  /**
   * Starts `program` on free ports.
   * @throws {UnavailableError} `RELAY_FAILED` with what it said.
   */
  static async start(program: string): Promise<RelayServer> {
    const directory = await mkdtemp(join(tmpdir(), 'relay-bench-'))
    const secret = randomBytes(32).toString('hex')
    await writeFile(join(directory, 'secret'), secret, { mode: 0o600 })
    const [accessPort = 0, port = 0] = await freePorts(2, host, Math.random)
    const where = { directory, secret, accessPort, port }
    const process_ = await OwnedProcess.start({
      name: 'relay',
      command: process.execPath,
      args: [program, 'serve'],
      env: childEnvironment(process.env, {
        RELAY_AUDIENCE: `http://${host}:${where.accessPort}`,
        RELAY_URL: `ws://${host}:${where.port}`,
        RELAY_SECRET_FILES: join(directory, 'secret'),
        RELAY_PORT_ACCESS: String(where.accessPort),
        RELAY_PORT_RELAY: String(where.port),
        RELAY_ACCESS_HOST: host,
        RELAY_RELAY_HOST: host,
        RELAY_METRICS_PORT: '0',
        RELAY_ACCESS_ADDRESS_REQUESTS: '1000000',
        RELAY_ACCESS_SUBJECT_REQUESTS: '1000000',
        RELAY_RELAY_MAX_CONNECTIONS_PER_SUBJECT: '20000',
      }),
    })
    const relay = new RelayServer(process_, where)
    const late = AbortSignal.timeout(readyWithinMs)
    const ended = process_.ended.then(() => true)
    const hasEnded = await Promise.race([
      untilAnswers(`${relay.access}/readyz`, late).then(() => false),
      ended,
    ])
    if (hasEnded || late.aborted) {
      await relay[Symbol.asyncDispose]()
      throw new UnavailableError('RELAY_FAILED', `the relay does not start: ${process_.lastLines.join(' ')}`)
    }
    return relay
  }

  get pid(): number {
    return this.#process.pid
  }

  async paths(viewers: number): Promise<readonly string[]> {
    const publisher = await this.token(['write'])
    const viewer = await this.token(['read'])
    const paths: string[] = [await this.#path(publisher)]
    while (paths.length <= viewers) {
      const missing = Math.min(exchangesAtOnce, viewers + 1 - paths.length)
      paths.push(...(await Promise.all(Array.from({ length: missing }, () => this.#path(viewer)))))
    }
    return paths
  }

  async setUpLoad(): Promise<Awaited<ReturnType<ServerUnderTest['setUpLoad']>>> {
    return {
      options: { 'access-port': this.#accessPort, 'topic-path': `/session/${topic}` },
      lines: [await this.token(['read'])],
    }
  }

  /** A token for the topic of the benchmark. */
  async token(scopes: readonly string[], name = topic): Promise<string> {
    return await this.tokens.mint({ topic: name, scopes, lifetimeSec: tokenLifetimeSec }, Date.now())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #path(token: string): Promise<string> {
    const access = `${this.access}/session/${topic}`
    const address = new URL(await exchangeToken({ access, token, timeoutMs: exchangeTimeoutMs }))
    return `${address.pathname}${address.search}`
  }
}
