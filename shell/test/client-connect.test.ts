import { createHash, randomBytes } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ClientProcess, fakeToken } from './support/client-process.ts'
import { SmallRelay, type SmallRelayOptions } from './support/small-relay.ts'

const patient = { timeout: 90_000 }
let sshd: Server
let sshdPort = 0
let sockets: Set<Socket>
let cleanUp: (() => Promise<unknown>)[]

/** Sends everything back, and ends when the other side has ended: half-close is seen. */
beforeEach(async () => {
  cleanUp = []
  sockets = new Set()
  sshd = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
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
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => sshd.close(resolve))
})

async function startRelay(options: SmallRelayOptions = {}, port = 0): Promise<SmallRelay> {
  const relay = await SmallRelay.start(options, port)
  cleanUp.push(() => relay.stop())
  return relay
}

function connect(
  relay: { readonly session: string },
  more: readonly string[] = [],
  token = 'a.b.c',
): ClientProcess {
  const client = new ClientProcess(['connect', 'pend00', '--session', relay.session, ...more], {
    SHELLCLIENT_TOKEN: token,
  })
  cleanUp.push(() => client[Symbol.asyncDispose]())
  return client
}

/** Digest of all that it prints. */
function digestOf(client: ClientProcess): Promise<string> {
  const hash = createHash('sha256')
  return new Promise((resolve) => {
    client.child.stdout.on('data', (data: Buffer) => hash.update(data))
    client.child.stdout.on('end', () => resolve(hash.digest('hex')))
  })
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

test(
  'bytes go both ways, the end of stdin ends one direction only, and all ends with 0',
  patient,
  async () => {
    const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
    const client = connect(relay)
    const digest = digestOf(client)
    const data = randomBytes(3_000_000)
    client.child.stdin.end(data)

    expect(await digest).toBe(sha256(data))
    expect(await client.exit).toBe(0)
    expect(client.stderr).toBe('')
    expect(relay.ends).toMatchObject([{ isClean: true }])
  },
)

test('links that are cut are dialled again, and not a byte is lost or doubled', patient, async () => {
  const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
  const client = connect(relay)
  const digest = digestOf(client)
  let received = 0
  let cutAt = 2_000_000
  client.child.stdout.on('data', (data: Buffer) => {
    received += data.length
    if (received < cutAt) return
    cutAt += 5_000_000
    relay.cut()
  })
  const data = randomBytes(20_000_000)
  client.child.stdin.end(data)

  expect(await digest).toBe(sha256(data))
  expect([await client.exit, client.stderr.split('\n').filter((line) => line.includes('pend00:'))]).toEqual([
    0,
    [],
  ])
  expect(relay.posts).toBeGreaterThanOrEqual(4)
  expect(client.stderr).toMatch(/the connection to pend00 broke .*dialling again/)
  expect(client.stderr).toMatch(/connected to pend00 again/)
})

test(
  'a host that is offline is one line with the time it was last seen, and exit code 20',
  patient,
  async () => {
    const relay = await startRelay({
      onLink: (link) =>
        link.send('{"type":"waiting","reason":"host-offline","lastSeen":"2026-11-22T10:00:00Z"}'),
    })
    const client = connect(relay, ['--wait', '3s'])

    expect(await client.exit).toBe(20)
    const [note, line, ...rest] = client.stderr.trim().split('\n')
    expect(note).toMatch(/^shell connect: waiting for pend00, which is not connected .*2026-11-22T10:00:00/)
    expect(line).toMatch(
      /^shell connect pend00: the host is not connected to the relay, .* last seen at 2026-11-22T10:00/,
    )
    expect(rest).toEqual([])
  },
)

test('who has gone does not wait for a host that is offline', patient, async () => {
  const relay = await startRelay({
    onLink: (link) => link.send('{"type":"waiting","reason":"host-offline","lastSeen":null}'),
  })
  const client = connect(relay, ['--wait', '10m'])
  client.child.stdin.write('SSH-2.0-test\r\n')
  await expect.poll(() => client.stderr, { timeout: 30_000 }).toContain('waiting for pend00')
  client.child.stdin.end()

  expect(await client.exit).toBe(20)
  expect(client.stderr).toContain('the program that asked for it has ended already')
})

test('who has gone does not wait for a relay that cannot be reached', patient, async () => {
  const relay = await SmallRelay.start()
  await relay.stop()
  const client = connect(relay, ['--wait', '10m'])
  client.child.stdin.end()

  expect(await client.exit).toBe(22)
})

test('what is said before the session is open is carried, however much it is', patient, async () => {
  const opening = Promise.withResolvers<void>()
  const relay = await startRelay({
    onLink: (link, r) => void opening.promise.then(() => r.serveTunnel(link, sshdPort)),
  })
  const client = connect(relay, ['--wait', '1m'])
  const digest = digestOf(client)
  const data = randomBytes(1_000_000)
  for (let at = 0; at < data.length; at += 50_000) client.child.stdin.write(data.subarray(at, at + 50_000))
  client.child.stdin.end()
  await expect.poll(() => client.child.stdin.writableLength, { timeout: 30_000 }).toBeLessThan(900_000)
  opening.resolve()

  expect(await digest).toBe(sha256(data))
  expect(await client.exit).toBe(0)
})

test.each([
  [
    '401 of ours',
    401,
    '{"code":"401","message":"host_id does not match topic in token"}',
    /does not match topic/,
  ],
  [
    '500 of an old relay',
    500,
    '{"code":500,"message":"error reading token was 1h by token is expired"}',
    /is expired/,
  ],
])('a token that is refused with %s ends with 21 at once', patient, async (_what, status, body, expected) => {
  const relay = await startRelay({ access: () => ({ status, body }) })
  const client = connect(relay)

  expect(await client.exit).toBe(21)
  expect(client.stderr).toMatch(expected)
  expect(relay.posts).toBe(1)
})

test('a token that has expired is called so, with the time', patient, async () => {
  const relay = await startRelay({
    access: () => ({ status: 401, body: '{"code":"401","message":"nothing of use"}' }),
  })
  const token = fakeToken({
    topic: 'pend00',
    prefix: 'shell',
    scopes: ['client'],
    aud: ['x'],
    exp: 1_600_000_000,
  })
  const client = connect(relay, [], token)

  expect(await client.exit).toBe(21)
  expect(client.stderr).toMatch(/the token expired at 2020-09-13T12:26:40Z; ask for a new one\n$/)
  expect(client.stderr).not.toContain('eyJ')
})

test(
  'a token of the other generation, which an old relay does not serve, is called so',
  patient,
  async () => {
    const port = createHttpServer((_request, response) => response.writeHead(404).end('Not Found\n'))
    await new Promise<void>((resolve) => {
      port.listen(0, '127.0.0.1', resolve)
    })
    cleanUp.push(() => new Promise((resolve) => port.close(resolve)))
    const uri = `ws://127.0.0.1:${(port.address() as AddressInfo).port}/connect/pend00/c?code=k`
    const relay = await startRelay({
      isOld: true,
      access: () => ({ status: 200, body: JSON.stringify({ uri }) }),
    })
    const token = fakeToken({ topic: 'pend00', prefix: 'connect', scopes: ['client'] })
    const client = connect(relay, [], token)

    expect(await client.exit).toBe(21)
    expect(client.stderr).toMatch(
      /^shell connect pend00: .*kind "connect", and the session address .* "shell" ones.*\n$/,
    )
    expect(relay.posts).toBe(1)
  },
)

test('a relay that cannot be reached is tried for as long as said, then ends with 22', patient, async () => {
  const relay = await SmallRelay.start()
  await relay.stop()
  const client = connect(relay, ['--wait', '5s'])

  expect(await client.exit).toBe(22)
  expect(client.stderr).toMatch(/waiting for the relay: the access server 127.0.0.1:\d+ cannot be reached/)
  expect(client.stderr.trim().split('\n').at(-1)).toMatch(
    /^shell connect pend00: .*cannot be reached: .*ECONNREFUSED/,
  )
})

test('a relay that comes back within the time is used', patient, async () => {
  const gone = await SmallRelay.start()
  await gone.stop()
  const client = connect(gone, ['--wait', '60s'])
  const digest = digestOf(client)
  await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) }, gone.port)
  client.child.stdin.end('hello')

  expect(await digest).toBe(sha256(Buffer.from('hello')))
  expect(await client.exit).toBe(0)
})

test('the words of a host that cannot reach its sshd are shown, with exit code 23', patient, async () => {
  const relay = await startRelay({
    onLink: (link) => {
      link.send('{"type":"paired","peer":"tunnel"}')
      link.on('message', () => {
        link.send(
          '{"type":"refused","code":"SSHD_UNREACHABLE","message":"sshd on pend00 does not answer at port 22"}',
        )
        link.close(1000)
      })
    },
  })
  const client = connect(relay)

  expect(await client.exit).toBe(23)
  expect(client.stderr).toBe('shell connect pend00: sshd on pend00 does not answer at port 22\n')
})

test.each([
  ['expires', 4001, 21, /the token has expired/],
  ['is denied', 4002, 21, /the booking was cancelled/],
  ['took nothing', 4006, 24, /took nothing/],
])('a session that %s says so and ends', patient, async (_what, code, exit, expected) => {
  const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
  const client = connect(relay)
  client.child.stdin.write('x')
  await new Promise((resolve) => client.child.stdout.once('data', resolve))
  for (const link of relay.links) link.close(code)

  expect(await client.exit).toBe(exit)
  expect(client.stderr).toMatch(expected)
  expect(relay.posts).toBe(1)
})

test('a host that no longer knows the session ends it with 24', patient, async () => {
  const relay = await startRelay({
    onLink: (link, r) => {
      if (r.posts === 1) {
        r.serveTunnel(link, sshdPort)
        return
      }
      link.send('{"type":"paired","peer":"tunnel"}')
      link.on('message', () =>
        link.send('{"type":"refused","code":"SESSION_UNKNOWN","message":"it is not known"}'),
      )
    },
  })
  const client = connect(relay, ['--quiet'])
  client.child.stdin.write('x')
  await new Promise((resolve) => client.child.stdout.once('data', resolve))
  relay.cut()

  expect(await client.exit).toBe(24)
  expect(client.stderr).toBe('shell connect pend00: it is not known\n')
})

test('an old relay gets nothing before the host has spoken, and everything afterwards', patient, async () => {
  const messages: Buffer[] = []
  const relay = await startRelay({
    isOld: true,
    onLink: (link) => link.on('message', (data: Buffer) => messages.push(data)),
  })
  const client = connect(relay).collect()
  client.child.stdin.write('SSH-2.0-ssh\r\n')
  await expect.poll(() => relay.links.length).toBe(1)
  // A round trip: what it would have sent at once is here now.
  await new Promise((resolve) =>
    relay.links[0]?.ping(undefined, undefined, () => relay.links[0]?.once('pong', resolve)),
  )
  expect(messages).toEqual([])
  relay.links[0]?.send(Buffer.from('SSH-2.0-mock\r\n'))
  await expect.poll(() => Buffer.concat(messages).toString()).toBe('SSH-2.0-ssh\r\n')
  client.child.stdin.write(Buffer.alloc(200_000, 7))
  await expect.poll(() => Buffer.concat(messages).length).toBe(200_013)
  relay.links[0]?.close(1000)
  client.child.stdin.end()

  expect(await client.exit).toBe(0)
  expect(client.stdoutText).toBe('SSH-2.0-mock\r\n')
  expect(Math.max(...messages.map((m) => m.length))).toBeLessThanOrEqual(65_535)
})

test('an old relay whose host says nothing is given up with 20', patient, async () => {
  const relay = await startRelay({ isOld: true })
  const client = connect(relay, ['--wait', '2s'])

  expect(await client.exit).toBe(20)
  expect(client.stderr).toMatch(/the host sent nothing within 2 s; is it online\?\n$/)
})

test('stdout that nobody reads holds the host up at its window, and nothing is lost', patient, async () => {
  const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
  const client = connect(relay)
  const data = randomBytes(12_000_000)
  client.child.stdin.end(data)
  // The echo has taken in all that fits into windows and pipes, and waits.
  await expect
    .poll(() => [...sockets].some((socket) => socket.isPaused() || socket.writableNeedDrain), {
      timeout: 60_000,
    })
    .toBe(true)

  expect(await digestOf(client)).toBe(sha256(data))
  expect(await client.exit).toBe(0)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends it at once and breaks the connection to sshd',
  patient,
  async (signal) => {
    const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
    const client = connect(relay)
    client.child.stdin.write('x')
    await new Promise((resolve) => client.child.stdout.once('data', resolve))
    client.child.kill(signal)

    expect(await client.exit).toBe(0)
    await expect.poll(() => relay.ends).toMatchObject([{ by: 'peer', error: { code: 'CLIENT_STOPPED' } }])
  },
)

test('the hang-up that ssh sends when it ends lets the last words through', patient, async () => {
  const relay = await startRelay({ onLink: (link, r) => r.serveTunnel(link, sshdPort) })
  const client = connect(relay)
  client.child.stdin.write('x')
  await new Promise((resolve) => client.child.stdout.once('data', resolve))
  client.child.kill('SIGHUP')
  client.child.stdin.end(Buffer.alloc(500_000, 1))
  const rest = await new Promise<number>((resolve) => {
    let bytes = 0
    client.child.stdout.on('data', (d: Buffer) => (bytes += d.length)).on('end', () => resolve(bytes))
  })

  expect(rest).toBe(500_000)
  expect(await client.exit).toBe(0)
  expect(relay.ends).toMatchObject([{ isClean: true }])
})

test.each([
  [
    'the id is not that of the address',
    ['connect', 'pend01', '--session', 'http://127.0.0.1:1/shell/pend00'],
    'a.b.c',
    /"pend00", not of "pend01"/,
  ],
  [
    'the token is for another experiment',
    ['connect', 'pend00'],
    fakeToken({ topic: 'pend01', prefix: 'shell', scopes: ['client'], aud: 'http://127.0.0.1:1' }),
    /the token is for "pend01", not for "pend00"/,
  ],
  [
    'the token is one of a host',
    ['connect', 'pend00'],
    fakeToken({ topic: 'pend00', prefix: 'shell', scopes: ['host'], aud: 'http://127.0.0.1:1' }),
    /the token has the scope "host" and not "client"/,
  ],
  [
    'there is no token',
    ['connect', 'pend00', '--tokens', '/nonexistent'],
    '',
    /\/nonexistent\/pend00\.token does not exist/,
  ],
  ['the id leads out of the folder', ['connect', '../x'], '', /is no id/],
  [
    'the session address is none',
    ['connect', 'pend00', '--session', 'nonsense'],
    'a.b.c',
    /the session address is wrong/,
  ],
])('it is one sentence and exit code 78 when %s', patient, async (_what, args, token, expected) => {
  const client = new ClientProcess(args, token === '' ? {} : { JUMP_CLIENT_TOKEN: token })
  cleanUp.push(() => client[Symbol.asyncDispose]())

  expect(await client.exit).toBe(78)
  expect(client.stderr).toMatch(expected)
  expect(client.stderr.trim().split('\n').length).toBe(1)
})
