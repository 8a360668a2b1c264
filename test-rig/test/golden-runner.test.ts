import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { FreePorts } from '../src/golden/free-ports.ts'
import type { GoldenCase, Side, Step } from '../src/golden/golden-case.ts'
import { commandsOf } from '../src/golden/program-commands.ts'
import { type CaseFailure, runCase } from '../src/golden/run-case.ts'
import type { ServerSource } from '../src/golden/server-pool.ts'

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
  side: Side = 'wanted',
): Promise<readonly CaseFailure[]> {
  const golden: GoldenCase = {
    name: 'a case',
    generation: 'v0.2.2',
    server: { relay: { env: {} } },
    steps,
  }
  return runCase(golden, { servers, commands: commandsOf('true'), ports: new FreePorts(), side })
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

test('steps of the other side are passed over, and its expectations hold for it', async () => {
  const steps: readonly Step[] = [
    { do: 'wait', ms: 0, only: 'wanted' },
    {
      do: 'http',
      to: 'access',
      method: 'POST',
      path: '/x',
      token,
      reference: { status: 500 },
      wanted: { status: 200 },
    },
    { do: 'open', peer: 'nobody', only: 'wanted' },
  ]
  const servers = await startDouble({ status: 500 })

  expect(await replay(steps, servers, 'reference')).toStrictEqual([])
  expect(await replay(steps, servers, 'wanted')).toMatchObject([{ stepNumber: 2 }])
})
