import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ClientProcess } from './support/client-process.ts'
import { SmallRelay, type SmallRelayOptions } from './support/small-relay.ts'

const patient = { timeout: 90_000 }
let sshd: Server
let sshdPort = 0
let cleanUp: (() => unknown)[]

beforeEach(async () => {
  cleanUp = []
  sshd = createServer({ allowHalfOpen: true }, (socket) => {
    cleanUp.push(() => socket.destroy())
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => {
    sshd.listen(0, '127.0.0.1', resolve)
  })
  sshdPort = (sshd.address() as AddressInfo).port
})

afterEach(async () => {
  for (const act of cleanUp.toReversed()) await act()
  await new Promise((resolve) => sshd.close(resolve))
})

async function startRelay(options: SmallRelayOptions): Promise<SmallRelay> {
  const relay = await SmallRelay.start(options)
  cleanUp.push(() => relay.stop())
  return relay
}

/** Gives the port on which it listens. */
async function startClient(
  relay: SmallRelay,
  more: readonly string[] = [],
): Promise<[ClientProcess, number]> {
  const client = new ClientProcess(['client', ...more], {
    SHELLCLIENT_RELAYSESSION: relay.session,
    SHELLCLIENT_TOKEN: 'a.b.c',
    SHELL_CLIENT_LOCAL_PORT: '0',
  }).collect()
  cleanUp.push(() => client[Symbol.asyncDispose]())
  await expect.poll(() => client.stdoutText, { timeout: 60_000 }).toContain('listening for ssh')
  return [client, Number(/"port":(\d+)/.exec(client.stdoutText)?.[1])]
}

/** A local program, with all that it hears. */
class Ssh {
  readonly socket: Socket
  heard = ''
  /** `end` in order, or the code of the error. */
  readonly over: Promise<string>

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    cleanUp.push(() => this.socket.destroy())
    this.socket.on('data', (data: Buffer) => {
      this.heard += data.toString()
    })
    this.over = new Promise((resolve) => {
      this.socket.on('end', () => resolve('end'))
      this.socket.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)))
    })
  }
}

test('each connection is a session of its own, and one that breaks harms no other', patient, async () => {
  const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
  const [client, port] = await startClient(relay)
  const one = new Ssh(port)
  one.socket.write('one')
  await expect.poll(() => one.heard).toBe('one')
  const two = new Ssh(port)
  two.socket.write('two')
  await expect.poll(() => two.heard).toBe('two')
  relay.links[0]?.close(4002)

  expect(await one.over).toBe('ECONNRESET')
  two.socket.end(' goes on')
  expect(await two.over).toBe('end')
  expect(two.heard).toBe('two goes on')
  expect(relay.posts).toBe(2)
  await expect.poll(() => client.stdoutText).toMatch(/"code":"DENIED".*session broke/)
  await expect.poll(() => client.stdoutText).toMatch(/session ended/)
})

test('a session that cannot begin resets its connection at once, and the log says why', patient, async () => {
  const relay = await startRelay({
    access: () => ({ status: 401, body: '{"code":"401","message":"token is not yours"}' }),
  })
  const [client, port] = await startClient(relay)
  const ssh = new Ssh(port)

  expect(await ssh.over).toBe('ECONNRESET')
  await expect.poll(() => client.stdoutText).toMatch(/token is not yours.*session failed/)
  expect(client.stdoutText).not.toContain('a.b.c')
})

test('a connection that is broken by its program breaks the one to sshd', patient, async () => {
  const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
  const [, port] = await startClient(relay)
  const ssh = new Ssh(port)
  ssh.socket.write('x')
  await expect.poll(() => ssh.heard).toBe('x')
  ssh.socket.resetAndDestroy()

  await expect.poll(() => relay.ends).toMatchObject([{ by: 'peer', error: { code: 'LOCAL_BROKE' } }])
})

test('it listens on 127.0.0.1 alone unless something else is said', patient, async () => {
  const relay = await startRelay({})
  const [client] = await startClient(relay)

  expect(client.stdoutText).toContain('"host":"127.0.0.1"')
})

test('a port that is taken is one clear sentence and exit code 69', patient, async () => {
  const relay = await startRelay({})
  const client = new ClientProcess(['client'], {
    JUMP_CLIENT_RELAY_SESSION: relay.session,
    JUMP_CLIENT_TOKEN: 'a.b.c',
    JUMP_CLIENT_LOCAL_PORT: String(sshdPort),
  })
  cleanUp.push(() => client[Symbol.asyncDispose]())

  expect(await client.exit).toBe(69)
  expect(client.stderr).toMatch(
    /the local port for ssh: port \d+ of 127\.0\.0\.1 is in use by another program/,
  )
})

test('more sessions than allowed are reset', patient, async () => {
  const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
  const [, port] = await startClient(relay, ['--max-sessions', '1'])
  const one = new Ssh(port)
  one.socket.write('one')
  await expect.poll(() => one.heard).toBe('one')
  const two = new Ssh(port)

  expect(await two.over).toBe('ECONNRESET')
  one.socket.end()
  expect(await one.over).toBe('end')
})

test('when it is stopped, it breaks its sessions off and ends with 0', patient, async () => {
  const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
  const [client, port] = await startClient(relay)
  const ssh = new Ssh(port)
  ssh.socket.write('x')
  await expect.poll(() => ssh.heard).toBe('x')
  client.child.kill('SIGTERM')

  expect(await ssh.over).toBe('ECONNRESET')
  expect(await client.exit).toBe(0)
  await expect.poll(() => relay.ends).toMatchObject([{ by: 'peer', error: { code: 'CLIENT_STOPPED' } }])
})
