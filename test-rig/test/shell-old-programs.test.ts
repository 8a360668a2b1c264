import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { until } from '../src/rig/until.ts'
import { EchoSshd } from '../src/shell/echo-sshd.ts'
import { dialWebsocket, postForUri } from '../src/shell/old/go-dialler.ts'
import { OldClient } from '../src/shell/old/old-client.ts'
import { OldHost } from '../src/shell/old/old-host.ts'
import { OldRelay } from '../src/shell/old/old-relay.ts'
import { tokenAt } from '../src/shell/shell-programs.ts'
import { TunnelTalk } from '../src/shell/tunnel-talk.ts'

/** Doubles that are better than what they stand for would prove nothing: they have the old programs' faults. */
const secret = 'secret of the doubles'
const never = new AbortController().signal

async function session(generation: 'v0.2.2' | 'jump') {
  const stack = new AsyncDisposableStack()
  const sshd = stack.use(await EchoSshd.start())
  const relay = stack.use(await OldRelay.start({ generation, secret }))
  const access = relay.accessOf('a')
  const host = stack.use(
    new OldHost({ generation, access, token: tokenAt(relay, 'a', 'host'), sshdPort: sshd.port }),
  )
  await until('the host is there', () => host.managers === 1)
  // Between its 101 and its place in the hub an alert can miss it (spec shell 1.2, step 7).
  await sleep(100)
  const client = stack.use(
    await OldClient.start({ generation, access, token: tokenAt(relay, 'a', 'client') }),
  )
  return { stack, sshd, relay, host, client }
}

test('a v0.2.2 client loses what exceeds 1 MiB between two pauses (B3)', async () => {
  const { stack, client } = await session('v0.2.2')
  await using _all = stack
  using talk = await TunnelTalk.open(client.port)
  await talk.read(EchoSshd.banner.length)

  talk.socket.write(Buffer.alloc(4_000_000))

  await until('it loses some', () => (client.pumps[0]?.droppedBytes ?? 0) > 100_000)
  expect(client.pumps).toHaveLength(1)
})

test.for(['v0.2.2', 'jump'] as const)(
  'a %s host keeps sshd and its websocket when the client has gone (B1, B7)',
  async (generation) => {
    const { stack, client, host, sshd } = await session(generation)
    await using _all = stack
    using talk = await TunnelTalk.open(client.port)
    await talk.read(EchoSshd.banner.length)

    await client[Symbol.asyncDispose]()

    await sleep(500)
    expect(host.open).toEqual({ tcp: 1, websockets: 1 })
    expect(sshd.open).toHaveLength(1)
  },
)

test('a v0.2.2 client opens a new session when its websocket closes (B8), a newer one does not', async () => {
  const older = await session('v0.2.2')
  await using _older = older.stack
  const newer = await session('jump')
  await using _newer = newer.stack
  for (const { client } of [older, newer]) {
    using talk = await TunnelTalk.open(client.port)
    await talk.read(EchoSshd.banner.length)
  }
  await older.relay[Symbol.asyncDispose]()
  await newer.relay[Symbol.asyncDispose]()

  await until('the older one asks again', () => older.client.posts > 1)
  expect(newer.client.posts).toBe(1)
})

test.for(['v0.2.2', 'jump'] as const)(
  'a %s relay stops for ever when a member does not read (B2)',
  async (generation) => {
    const { stack, relay } = await session(generation)
    await using _all = stack
    const managers = relay.accessOf('managers')
    const hostToken = tokenAt(relay, 'managers', 'host')
    const lazy = await dialWebsocket(await postForUri(managers, hostToken, never), never)
    const busy = await dialWebsocket(await postForUri(managers, hostToken, never), never)
    lazy.pause()

    // What a manager sends goes to the other managers of its id (spec shell 5.2).
    for (let count = 0; count < 4000 && !relay.isDeadlocked; count += 1) {
      busy.send(Buffer.alloc(60_000))
      await sleep(1)
    }

    expect(relay.isDeadlocked).toBe(true)
    for (const socket of [lazy, busy]) socket.terminate()
  },
)

test('a newer host dies when it cancels a session whose websocket it never had', async () => {
  const { stack, relay, sshd } = await session('jump')
  await using _all = stack
  const access = relay.accessOf('b')
  const token = tokenAt(relay, 'b', 'host')
  await using host = new OldHost({ generation: 'jump', access, token, sshdPort: sshd.port })
  await until('it is there', () => host.managers === 1)
  await sleep(100)
  const manager = await dialWebsocket(await postForUri(access, token, never), never)
  const uri = 'ws://127.0.0.1:1/connect/b/c?code=k'
  await sleep(100)

  manager.send(JSON.stringify({ action: 'connect', uri, uuid: 'u' }))
  await until('it dials sshd', () => host.open.tcp === 1)
  manager.send(JSON.stringify({ action: 'disconnect', uri: '', uuid: 'u' }))
  await sleep(200)
  expect(host.hasCrashed).toBe(false)

  manager.send(JSON.stringify({ action: 'disconnect', uri, uuid: 'u' }))
  await until('it dies', () => host.hasCrashed)
  manager.terminate()
})
