import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { ChildProgram } from '../src/golden/child-program.ts'
import { FakeAccess } from '../src/golden/fake-access.ts'
import { FakeRelay } from '../src/golden/fake-relay.ts'
import { FreePorts } from '../src/golden/free-ports.ts'
import type { GoldenCase, Step } from '../src/golden/golden-case.ts'
import { commandsOf } from '../src/golden/program-commands.ts'
import { exchange } from '../src/golden/raw-http.ts'
import { type CaseFailure, runCase } from '../src/golden/run-case.ts'
import { ServerPool, type ServerSource } from '../src/golden/server-pool.ts'
import { dial } from '../src/golden/websocket-dial.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Faults {
  /** The relay returns messages to their sender. */
  readonly echoes?: boolean
  /** The relay joins two messages to one. */
  readonly merges?: boolean
  readonly status?: number
  /** Close with this code after the first message. */
  readonly closeCode?: number
}

/** A relay of a few lines with faults on order: what the runner must find is put in on purpose. */
async function startDouble(faults: Faults = {}): Promise<ServerSource> {
  const relay = createServer((_request, response) => response.writeHead(404).end('Not Found\n'))
  const sockets = new WebSocketServer({
    server: relay,
    skipUTF8Validation: true,
    handleProtocols: () => 'null',
  })
  const waiting: [Buffer, boolean][] = []
  sockets.on('connection', (socket) => {
    // What is sent wrong on purpose is an error here.
    socket.on('error', () => {})
    socket.on('message', (data: Buffer, isBinary) => {
      waiting.push([data, isBinary])
      if (faults.merges === true && waiting.length < 2) return
      const message = Buffer.concat(waiting.splice(0).map(([bytes]) => bytes))
      for (const other of sockets.clients) {
        if (other !== socket || faults.echoes === true) other.send(message, { binary: isBinary })
      }
      if (faults.closeCode !== undefined) socket.close(faults.closeCode, 'because')
    })
  })
  await listen(relay)
  const relayPort = String((relay.address() as AddressInfo).port)
  const access = createServer((request, response) => {
    if (request.headers.authorization === undefined) request.socket.destroy()
    else {
      const uri = `ws://127.0.0.1:${relayPort}${request.url ?? ''}?code=c1`
      response
        .writeHead(faults.status ?? 200, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ uri }))
    }
  })
  await listen(access)
  const accessPort = String((access.address() as AddressInfo).port)
  cleanups.push(() => {
    for (const socket of sockets.clients) socket.terminate()
    relay.close()
    access.close()
  })
  const values = new Map([
    ['accessPort', accessPort],
    ['relayPort', relayPort],
    ['target', `ws://127.0.0.1:${relayPort}`],
  ])
  return {
    acquire: () =>
      Promise.resolve({
        values,
        isAlive: () => Promise.resolve(true),
        stop: () => Promise.resolve({ code: 0, signal: null }),
        release: () => Promise.resolve([]),
      }),
  }
}

async function listen(server: ReturnType<typeof createServer>): Promise<void> {
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
}

function replay(
  steps: readonly Step[],
  servers: ServerSource,
  fake?: GoldenCase['fake'],
): Promise<readonly CaseFailure[]> {
  const golden: GoldenCase = {
    name: 'a case',
    generation: 'v0.2.2',
    server: { relay: { env: {} } },
    steps,
    ...(fake === undefined ? {} : { fake }),
  }
  return runCase(golden, { servers, commands: commandsOf('true'), ports: new FreePorts(), side: 'wanted' })
}

const token = { claims: { topic: 'x/y', exp: 'now+60' } }
const meeting: readonly Step[] = [
  { do: 'connect', peer: 'A', token },
  { do: 'connect', peer: 'B', token },
]

const conversation: readonly Step[] = [
  {
    do: 'http',
    to: 'access',
    method: 'POST',
    path: '/session/x',
    token,
    wanted: { status: 200 },
    save: { u: 'uri' },
  },
  {
    do: 'connect',
    peer: 'A',
    uri: '{{u}}',
    protocols: ['null'],
    reference: { open: true, protocol: 'null', extensions: '' },
  },
  { do: 'connect', peer: 'B', uri: '{{target}}/session/x?{{uQuery}}' },
  { do: 'send', peer: 'A', message: 'hello' },
  { do: 'expect', peer: 'B', messages: ['hello'] },
  { do: 'send', peer: 'A', fragments: ['a', 'b'], as: 'binary', pingBetween: true },
  { do: 'expect', peer: 'B', messages: [{ text: 'ab', as: 'binary' }] },
  { do: 'send', peer: 'A', message: { hex: 'fffe41', as: 'text' } },
  { do: 'expect', peer: 'B', messages: [{ hex: 'fffe41', as: 'text' }] },
  { do: 'send', peer: 'A', burst: { count: 50, text: '{"n":{{i}}}' } },
  {
    do: 'expectBurst',
    peer: 'B',
    burst: { count: 50, text: '{"n":{{i}}}' },
    wanted: { messages: 'separate' },
  },
  { do: 'send', peer: 'B', message: { tsPackets: 700 } },
  {
    do: 'expectBytes',
    peer: 'A',
    bytes: [{ tsPackets: 600 }, { tsPackets: 100, from: 600 }],
    wanted: { maxMessages: 1 },
  },
  { do: 'send', peer: 'A', message: '{"cmd":"x","n":1}' },
  { do: 'expectJson', peer: 'B', wanted: { text: true, subset: true, json: { cmd: 'x' } } },
  { do: 'ping', peer: 'A', data: 'hello' },
  { do: 'silent', peer: 'A', forMs: 20 },
  { do: 'open', peer: 'A', forMs: 10 },
  { do: 'close', peer: 'A', code: 4001, reason: 'bye' },
  { do: 'closed', peer: 'A', wanted: { code: 4001 } },
  { do: 'send', peer: 'B', raw: '810141' },
  { do: 'closed', peer: 'B', wanted: { code: 1002, beforeMs: 60_000 } },
  {
    do: 'http',
    to: 'relay',
    method: 'GET',
    path: '//odd/../p%zz',
    wanted: { status: 404, body: 'Not Found\n' },
  },
  { do: 'http', to: 'access', method: 'POST', path: '/', wanted: { dropped: true } },
  { do: 'silent', peer: 'nobody', forMs: 1, only: 'reference' },
]

test('a conversation that goes as expected has no failures', async () => {
  expect(await replay(conversation, await startDouble())).toStrictEqual([])
})

const faulty: readonly (readonly [string, Faults, readonly Step[], RegExp])[] = [
  ['a wrong status', { status: 500 }, conversation.slice(0, 1), /status: expected 200, got 500/],
  [
    'an echo',
    { echoes: true },
    [...meeting, { do: 'send', peer: 'A', message: 'x' }, { do: 'silent', peer: 'A', forMs: 200 }],
    /expected silence, got text of 1 bytes "x"/,
  ],
  [
    'joined messages',
    { merges: true },
    [
      ...meeting,
      { do: 'send', peer: 'A', burst: { count: 2, text: '{{i}}' } },
      { do: 'expectBurst', peer: 'B', burst: { count: 2, text: '{{i}}' }, wanted: { messages: 'separate' } },
    ],
    /expected messages kept apart/,
  ],
  [
    'a wrong type',
    {},
    [
      ...meeting,
      { do: 'send', peer: 'A', message: { text: 'x', as: 'binary' } },
      { do: 'expect', peer: 'B', messages: ['x'] },
    ],
    /message 1: expected text "x", got binary of 1 bytes 78/,
  ],
  [
    'a wrong close code',
    { closeCode: 1011 },
    [
      ...meeting,
      { do: 'send', peer: 'A', message: 'x' },
      { do: 'closed', peer: 'A', wanted: { code: [1009, 1006] } },
    ],
    /close code: expected 1009 or 1006, got 1011/,
  ],
  [
    'a close that was not expected',
    { closeCode: 1011 },
    [...meeting, { do: 'send', peer: 'A', message: 'x' }, { do: 'open', peer: 'A', forMs: 300 }],
    /expected an open connection, but it ended with 1011/,
  ],
  [
    'an end too early',
    { closeCode: 1000 },
    [
      ...meeting,
      { do: 'send', peer: 'A', message: 'x' },
      { do: 'closed', peer: 'A', wanted: { afterMs: 4_000 } },
    ],
    /too early/,
  ],
  [
    'a missing message',
    {},
    [...meeting, { do: 'expect', peer: 'A', messages: ['x'], withinMs: 50 }],
    /got nothing/,
  ],
  [
    'an open websocket in place of a refusal',
    {},
    [{ do: 'connect', peer: 'A', token, wanted: { status: [401] } }],
    /expected a refusal with 401, got an open websocket/,
  ],
  [
    'a missing ping',
    {},
    [...meeting, { do: 'expectPing', peer: 'A', withinMs: 30 }],
    /expected a ping, got none/,
  ],
  ['a value nobody saved', {}, [{ do: 'connect', peer: 'A', uri: '{{nope}}' }], /no value for \{\{nope\}\}/],
]

test.for(faulty)('%s is found and told with its step', async ([_name, faults, steps, problem]) => {
  const failures = await replay(steps, await startDouble(faults))

  expect(failures).toHaveLength(1)
  expect(failures[0]?.stepNumber).toBe(steps.length)
  expect(failures[0]?.problems.join('\n')).toMatch(problem)
})

test('steps after the first failure are not tried', async () => {
  const steps: readonly Step[] = [
    { do: 'http', to: 'access', method: 'POST', path: '/x', token, wanted: { status: 418 } },
    { do: 'http', to: 'access', method: 'POST', path: '/x', token, wanted: { status: 419 } },
  ]

  expect(await replay(steps, await startDouble())).toMatchObject([{ stepNumber: 1 }])
})

test('the scripted servers answer by script and hand over what a host does', async () => {
  const values = new Map([['fakeRelay', 'ws://r']])
  const access = new FakeAccess(
    { '/a': [{ status: 500 }, { body: '{"uri":"{{fakeRelay}}/x"}' }], '/d': { drop: true } },
    () => values,
  )
  const address = await access.start()
  cleanups.push(() => access.stop())

  expect(
    (await fetch(`${address}/a?q=1`, { method: 'POST', body: 'b', headers: { 'X-A': '1' } })).status,
  ).toBe(500)
  expect(await (await fetch(`${address}/a`)).text()).toBe('{"uri":"ws://r/x"}')
  expect(await (await fetch(`${address}/a`)).text()).toBe('{"uri":"ws://r/x"}')
  expect((await fetch(`${address}/other`)).status).toBe(404)
  await expect(fetch(`${address}/d`)).rejects.toThrow('fetch failed')
  const first = await access.take('/a', 1_000)
  expect(first).toMatchObject({ method: 'POST', path: '/a?q=1', body: 'b' })
  expect(first?.headers.get('x-a')).toBe('1')
  expect(access.seenAtMs('/a')).toHaveLength(3)
})

test('the scripted relay accepts, refuses and closes by script', async () => {
  const relay = new FakeRelay({ '/refused': { status: 401 }, '/short': { closeAfterMs: 5 } })
  const address = await relay.start()
  cleanups.push(() => relay.stop())
  const client = new WebSocket(`${address}/x?code=1`)
  cleanups.push(() => client.terminate())
  const opened = once(client, 'open')
  const heard = once(client, 'message')

  const incoming = await relay.take('/x', 5_000)
  await opened
  client.send('up')
  expect((await incoming?.peer.messages.take(5_000))?.data.toString()).toBe('up')
  incoming?.peer.send({ type: 'text', data: Buffer.from('down') })
  expect(String((await heard)[0])).toBe('down')
  client.close(1000)
  expect(await incoming?.peer.whenClosed(5_000)).toMatchObject({ code: 1000 })
  expect(await dial({ address: `${address}/refused`, withinMs: 5_000 })).toMatchObject({
    response: { status: 401 },
  })
  const short = await dial({ address: `${address}/short`, withinMs: 5_000 })
  expect(short.kind === 'open' && (await short.peer.whenClosed(5_000))).toMatchObject({ code: 1000 })
  expect(relay.seenAtMs('/refused')).toHaveLength(1)
})

test('a peer shows a drop without a close frame as 1006 and an empty close frame as 1005', async () => {
  const relay = new FakeRelay({})
  const address = await relay.start()
  cleanups.push(() => relay.stop())
  const dropped = await dial({ address: `${address}/x`, withinMs: 5_000 })
  const closed = await dial({ address: `${address}/x`, withinMs: 5_000 })

  const first = await relay.take('/x', 5_000)
  first?.peer.terminate()
  expect(dropped.kind === 'open' && (await dropped.peer.whenClosed(5_000))).toMatchObject({ code: 1006 })
  const second = await relay.take('/x', 5_000)
  second?.peer.close()
  expect(closed.kind === 'open' && (await closed.peer.whenClosed(5_000))).toMatchObject({ code: 1005 })
})

test('a peer that must not answer pings does not', async () => {
  const relay = new FakeRelay({})
  const address = await relay.start()
  cleanups.push(() => relay.stop())
  await dial({ address: `${address}/x`, withinMs: 5_000, autoPong: false })
  await dial({ address: `${address}/y`, withinMs: 5_000 })
  const mute = await relay.take('/x', 5_000)
  const polite = await relay.take('/y', 5_000)

  mute?.peer.ping(Buffer.from('1'))
  polite?.peer.ping(Buffer.from('2'))

  expect((await polite?.peer.pongs.take(5_000))?.toString()).toBe('2')
  expect(mute?.peer.pongs.size).toBe(0)
})

test('a request leaves as it is written, and an answer that never comes is told from a dropped one', async () => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''} ${request.rawHeaders.join('|')}`)
    if (request.url === '/drop') response.destroy()
    else if (request.url !== '/silent') response.end('ok')
  })
  await listen(server)
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ask = (path: string) =>
    exchange(
      {
        port,
        method: 'GET',
        path,
        headers: [
          ['A', '1'],
          ['a', '2'],
        ],
      },
      300,
    )

  expect(await ask('//a/../b%zz?x')).toMatchObject({ kind: 'answered' })
  expect(await ask('/drop')).toStrictEqual({ kind: 'dropped', receivedBytes: 0 })
  expect(await ask('/silent')).toStrictEqual({ kind: 'silent' })
  expect(seen[0]).toBe(`GET //a/../b%zz?x Host|127.0.0.1:${String(port)}|A|1|a|2`)
})

test('a program sees the environment of its case and PATH alone, and tells how it ended', async () => {
  const script = 'console.log(Object.keys(process.env).sort().join()); console.error("bad"); process.exit(3)'
  const program = new ChildProgram([process.execPath, '-e', script], { RELAY_X: '1' })

  expect(await program.whenExited(20_000)).toStrictEqual({ code: 3, signal: null })
  expect(program.stdout).toBe('PATH,RELAY_X\n')
  expect(program.describe()).toContain('bad')
  await expect(program.whenListening([1], 20_000)).rejects.toThrow('exited before it listened')
})

test('a program that ignores SIGTERM is killed', { timeout: 60_000 }, async () => {
  const script = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")'
  const program = new ChildProgram([process.execPath, '-e', script], {})
  await waitFor(() => program.stdout.includes('up'))

  expect(await program.stop(200)).toStrictEqual({ code: null, signal: 'SIGKILL' })
})

const listenOnBoth = `
  const ports = [process.env.A, process.env.B]
  for (const port of ports) require('http').createServer().listen(port, '127.0.0.1')
  process.on('SIGTERM', () => process.exit(0))`

test('cases with the same environment share a program, fresh ones have their own, and one that died is replaced', {
  timeout: 60_000,
}, async () => {
  const ports = new FreePorts()
  const pool = new ServerPool({ commands: () => [process.execPath, '-e', listenOnBoth], ports })
  cleanups.push(() => pool.stop())
  const env = { A: '{{accessPort}}', B: '{{relayPort}}' }
  const shared: GoldenCase = { name: 's', generation: 'v0.2.2', server: { relay: { env } }, steps: [] }
  const fresh: GoldenCase = { ...shared, server: { relay: { env }, fresh: true } }

  const [one, two, own] = await Promise.all([
    pool.acquire(shared, new Map()),
    pool.acquire(shared, new Map()),
    pool.acquire(fresh, new Map()),
  ])
  expect(one.values.get('accessPort')).toBe(two.values.get('accessPort'))
  expect(own.values.get('accessPort')).not.toBe(one.values.get('accessPort'))
  expect(await own.release()).toStrictEqual([])
  expect(await own.isAlive('relay')).toBe(false)
  expect(await one.isAlive('relay')).toBe(true)

  await one.stop('relay', { signal: 'SIGKILL', withinMs: 10_000 })
  expect((await two.release()).join()).toContain('SIGKILL')
  const again = await pool.acquire(shared, new Map())
  expect(await again.isAlive('relay')).toBe(true)
})

async function waitFor(isSo: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + 20_000
  while (!isSo()) {
    if (performance.now() > giveUpAtMs) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
