import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { systemClock } from '@relay/common/clock'
import { listen } from '@relay/common/listen'
import type { Log } from '@relay/common/log'
import { ShellHost } from '@relay/common/shell-host/shell-host'
import { fixedToken } from '@relay/common/token-source'
import { signToken } from '@relay/common/token/sign-token'
import { openLink } from '@relay/common/tunnel/dial-link'
import { LocalPort } from '../client/local-port.ts'
import { loadShellRelayConfig } from '../relay/config.ts'
import { ShellRelay } from '../relay/shell-relay.ts'
import type { PortPipe } from './direct-pipe.ts'

export interface TunnelPipeOptions {
  /** Of this machine, to which connections go. */
  readonly targetPort: number
  /** As with an old host: bytes alone, without resume and half-close. */
  readonly isPlain: boolean
}

const id = 'pipe'
const audience = 'http://127.0.0.1/pipe'
const tokenLifetimeSec = 31_536_000
const waitMs = 10_000
const resumeWithinMs = 120_000
const maxSessions = 256

/** Relay, host and client of this program in one process, on ports of loopback that nobody else has a token for. */
export class TunnelPipe implements PortPipe {
  readonly #relay: ShellRelay
  readonly #local: LocalPort
  readonly #stopping: AbortController
  readonly #hosting: Promise<void>

  private constructor(
    relay: ShellRelay,
    local: LocalPort,
    host: { readonly stopping: AbortController; readonly running: Promise<void> },
  ) {
    this.#relay = relay
    this.#local = local
    this.#stopping = host.stopping
    this.#hosting = host.running
  }

  /** @throws {UnavailableError} where there is no port for the relay. */
  static async start({ targetPort, isPlain }: TunnelPipeOptions, log: Log): Promise<TunnelPipe> {
    const secret = randomBytes(32).toString('base64url')
    const config = relayConfig(secret, await unusedPort())
    const deps = { clock: systemClock, random: Math.random, log, environment: {} }
    const relay = await ShellRelay.create(config, deps)
    const { access: accessPort } = await relay.start()
    const access = `http://127.0.0.1:${accessPort}/shell/${id}`
    const host = new ShellHost(
      {
        access,
        sshd: { host: 'localhost', port: targetPort },
        sshdWithinMs: 900,
        hostKeyDirectory: '',
        deviceKeyFile: '',
        maxSessions,
        sessionsPerSecond: maxSessions,
        maxParkedBytes: 33_554_432,
        resumeWithinMs,
      },
      {
        ...deps,
        token: fixedToken(await makeToken('host', secret)),
        ...(isPlain ? { openLink: (uri, options) => openLink(uri, { ...options, isPlain }) } : {}),
      },
    )
    const stopping = new AbortController()
    const token = await makeToken('client', secret)
    const local = new LocalPort(
      { waitMs, resumeWithinMs, maxSessions, environment: {} },
      { ...deps, findTarget: () => Promise.resolve({ id, access, token, expiresAtMs: undefined }) },
    )
    return new TunnelPipe(relay, local, { stopping, running: host.run(stopping.signal) })
  }

  accept(socket: Socket): void {
    this.#local.accept(socket)
  }

  async stop(): Promise<void> {
    await this.#local.stop()
    this.#stopping.abort()
    await this.#hosting
    await this.#relay.stop()
  }
}

function relayConfig(secret: string, port: number): ReturnType<typeof loadShellRelayConfig> {
  const settings = {
    AUDIENCE: audience,
    URL: `ws://127.0.0.1:${port}`,
    SECRET: secret,
    ACCESS_HOST: '127.0.0.1',
    ACCESS_PORT: '0',
    RELAY_HOST: '127.0.0.1',
    RELAY_PORT: String(port),
    METRICS_PORT: '0',
  }
  const environment = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`SHELLRELAY_${name}`, value]),
  )
  return loadShellRelayConfig('jump', { environment })
}

async function makeToken(role: 'host' | 'client', secret: string): Promise<string> {
  const nowSec = Math.floor(systemClock.nowMs() / 1000)
  const times = { iat: nowSec - 1, nbf: nowSec - 1, exp: nowSec + tokenLifetimeSec }
  const claims = { topic: id, prefix: 'shell', scopes: [role], aud: [audience], ...times }
  return await signToken(claims, new TextEncoder().encode(secret))
}

/** A port that is free at this moment: the relay must know its own before it begins. */
async function unusedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server, { port: 0, host: '127.0.0.1', what: 'the relay of the pipe' })
  server.close()
  await once(server, 'close')
  return port
}
