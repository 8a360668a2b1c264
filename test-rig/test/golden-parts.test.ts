import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ChildProgram } from '../src/golden/child-program.ts'
import { FakeAccess } from '../src/golden/fake-access.ts'
import { FakeRelay } from '../src/golden/fake-relay.ts'
import { FreePorts } from '../src/golden/free-ports.ts'
import type { GoldenCase } from '../src/golden/golden-case.ts'
import { exchange } from '../src/golden/raw-http.ts'
import { ServerPool } from '../src/golden/server-pool.ts'
import { dial } from '../src/golden/websocket-dial.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function listen(server: ReturnType<typeof createServer>): Promise<void> {
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
}

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

test('what a peer sees against the protocol is kept', async () => {
  const relay = new FakeRelay({})
  const address = await relay.start()
  cleanups.push(() => relay.stop())
  const dialled = await dial({ address: `${address}/x`, withinMs: 5_000 })
  const incoming = await relay.take('/x', 5_000)

  incoming?.peer.sendRaw(Buffer.from('c10141808141414141414181014181 0141'.replaceAll(' ', ''), 'hex'))
  incoming?.peer.close(1000)

  expect(dialled.kind === 'open' && (await dialled.peer.whenClosed(5_000))).toMatchObject({ code: 1000 })
  expect(dialled.kind === 'open' && dialled.peer.violations.join()).toMatch(
    /reserved bits.*masked.*out of order/,
  )
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
