import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type DatagramReceiver,
  receiveDatagrams,
} from '../../systemd/node-systemd-notify/test/datagram-receiver.ts'
import { expectSoon } from '../../common/test/support/expect-soon.ts'
import { audience, claimsFor, mint, secret } from './support/tokens.ts'
import { Viewer } from './support/viewer.ts'

const launcher = fileURLToPath(new URL('../bin/relay.mjs', import.meta.url))
const addonBuilder = fileURLToPath(
  new URL('../../systemd/node-systemd-notify/native/main.ts', import.meta.url),
)

let directory: string
let systemd: DatagramReceiver
const cleanUps: (() => Promise<void> | void)[] = []
beforeAll(() => void execFileSync(process.execPath, [addonBuilder]))
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'relay-systemd-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'secret'), secret)
  systemd = await receiveDatagrams(join(directory, 'notify'))
  cleanUps.push(async () => {
    await systemd[Symbol.asyncDispose]()
  })
})
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

interface Service {
  readonly process: ChildProcess
  readonly stderr: () => string
  readonly log: () => string
  stop(): Promise<number | null>
}

/** As systemd starts it: a notify socket, and listening sockets from descriptor 3 on. */
function startService(
  environment: Readonly<Record<string, string>>,
  sockets: readonly number[] = [],
): Service {
  const child = spawn(
    '/bin/sh',
    ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath, launcher, 'serve'],
    {
      env: {
        PATH: process.env['PATH'],
        RELAY_AUDIENCE: audience,
        RELAY_URL: 'ws://relay.invalid',
        RELAY_SECRET_FILES: join(directory, 'secret'),
        RELAY_PORT_ACCESS: '0',
        RELAY_PORT_RELAY: '0',
        RELAY_METRICS_PORT: '0',
        RELAY_ALLOW_NO_BOOKING_ID: 'true',
        NOTIFY_SOCKET: join(directory, 'notify'),
        LISTEN_FDS: String(sockets.length),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe', ...sockets],
    },
  )
  let stderr = ''
  let log = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const ended = once(child, 'exit') as Promise<[number | null]>
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    return (await ended)[0]
  }
  cleanUps.push(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { process: child, stderr: () => stderr, log: () => log, stop }
}

/** As much of Node's own binding as a socket without a server needs. */
interface TcpBinding {
  readonly TCP: new (
    type: number,
  ) => {
    readonly fd: number
    bind(address: string, port: number): number
    getsockname(out: { port?: number }): number
    close(): void
  }
  readonly constants: { readonly SOCKET: number }
}

/** A socket with an address that stays open whoever serves it, as that of a socket unit; this process takes nobody in. */
function openSocket(): { readonly fd: number; readonly port: number } {
  const { TCP, constants } = (process as unknown as { binding(name: string): TcpBinding }).binding('tcp_wrap')
  const socket = new TCP(constants.SOCKET)
  cleanUps.push(() => socket.close())
  socket.bind('127.0.0.1', 0)
  const name: { port?: number } = {}
  socket.getsockname(name)
  return { fd: socket.fd, port: name.port ?? 0 }
}

async function address(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/session/t`, {
    method: 'POST',
    headers: { authorization: mint(claimsFor('t')) },
  })
  return ((await response.json()) as { uri: string }).uri
}

const joinTopic = (uri: string, port: number): Promise<Viewer> =>
  Viewer.dial(uri.replace('ws://relay.invalid', `ws://127.0.0.1:${port}`))

describe('the relay under systemd', () => {
  test('serves the sockets that are handed over, and keeps those who come during a restart', async () => {
    const access = openSocket()
    const relay = openSocket()
    const sockets = [access.fd, relay.fd]
    const first = startService({ LISTEN_FDNAMES: 'access:relay' }, sockets)
    await systemd.heard('READY=1')
    const viewer = await joinTopic(await address(access.port), relay.port)
    expect(await first.stop()).toBe(0)
    await expectSoon(() => viewer.closed?.code).toBe(1001)

    // Nobody serves: the socket takes the request and keeps it.
    const early = address(access.port)
    startService({ LISTEN_FDNAMES: 'access:relay' }, sockets)

    const late = await joinTopic(await early, relay.port)
    late.socket.terminate()
  })

  test('tells how it does: ready, connections, signs of life, drain and more time for it', async () => {
    const service = startService({ WATCHDOG_USEC: '1000000', RELAY_DRAIN_WITHIN: '2s' })
    await systemd.heard('READY=1')
    expect(systemd.lines.slice(0, 2)).toEqual(['READY=1', 'STATUS=0 connections on 0 topics'])
    await systemd.heard('WATCHDOG=1')
    await expectSoon(service.log).toMatch(/"relay started"/)
    const line =
      service
        .log()
        .split('\n')
        .find((text) => text.includes('"relay started"')) ?? '{}'
    const { ports } = JSON.parse(line) as { ports: { access: number; relay: number } }
    const viewer = await joinTopic(await address(ports.access), ports.relay)
    await systemd.heard('STATUS=1 connection on 1 topic')

    expect(await service.stop()).toBe(0)

    await systemd.heard('EXTEND_TIMEOUT_USEC=7000000')
    expect(systemd.lines).toContain('STOPPING=1')
    viewer.socket.terminate()
  })

  test('reads its keys at once when it is told to, and goes on when they are gone', async () => {
    const service = startService({ RELAY_KEYS_EVERY: '1h' })
    await systemd.heard('READY=1')
    await expectSoon(service.log).toMatch(/"relay started"/)
    const line =
      service
        .log()
        .split('\n')
        .find((text) => text.includes('"relay started"')) ?? '{}'
    const { ports } = JSON.parse(line) as { ports: { access: number } }
    writeFileSync(join(directory, 'secret'), 'another-secret-that-is-long-enough-for-tokens')
    const statusOf = async (): Promise<number> => {
      const { status } = await fetch(`http://127.0.0.1:${ports.access}/session/t`, {
        method: 'POST',
        headers: { authorization: mint(claimsFor('t')) },
      })
      return status
    }
    expect(await statusOf()).toBe(200)

    service.process.kill('SIGHUP')

    await expectSoon(service.log).toMatch(/"keys were read anew"/)
    expect(await statusOf()).toBe(401)
    await systemd.heard('RELOADING=1')
    expect(systemd.lines.filter((text) => text === 'READY=1')).toHaveLength(2)

    rmSync(join(directory, 'secret'))
    service.process.kill('SIGHUP')
    await expectSoon(service.log).toMatch(/keys cannot be read: the last ones stay valid/)
    expect(await service.stop()).toBe(0)
  })

  test('serves its metrics at a socket that is handed over, whatever the port in its settings', async () => {
    const { fd, port } = openSocket()
    startService({ LISTEN_FDNAMES: 'metrics' }, [fd])
    await systemd.heard('READY=1')

    const response = await fetch(`http://127.0.0.1:${port}/metrics`)

    expect(await response.text()).toMatch(/^relay_connections/m)
  })

  test('refuses a socket by whose name it cannot tell what to serve there', async () => {
    const service = startService({ LISTEN_FDNAMES: 'relay-access.socket' }, [openSocket().fd])

    const [code] = (await once(service.process, 'close')) as [number | null]

    expect(code).toBe(78)
    expect(service.stderr()).toMatch(
      /called "relay-access.socket"; let FileDescriptorName= of its unit be one of/,
    )
  })
})
