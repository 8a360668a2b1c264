import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { type Clock, systemClock } from '@relay/common/clock'
import { FakeClock } from '@relay/common/fake-clock'
import { openLink } from '@relay/common/tunnel/dial-link'
import { LocalEnd } from '@relay/common/tunnel/local-end'
import type { LocalEvents } from '@relay/common/tunnel/local-side'
import { deaf, type LinkEnd } from '@relay/common/tunnel/tunnel-link'
import { TUNNEL_PROTOCOL } from '@relay/common/tunnel/tunnel-protocol'
import type { WebsocketLink } from '@relay/common/tunnel/websocket-link'
import { afterEach, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

const cleanUp: (() => unknown)[] = []

afterEach(async () => {
  for (const act of cleanUp.splice(0).toReversed()) await act()
})

interface Seen {
  readonly uri: string
  /** What came over the socket after the upgrade, as it was sent. */
  readonly raw: Buffer[]
  readonly links: WebSocket[]
}

async function startServer(selects: boolean): Promise<Seen> {
  const raw: Buffer[] = []
  const links: WebSocket[] = []
  const http: Server = createServer()
  const websockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: () => (selects ? TUNNEL_PROTOCOL : false),
  })
  http.on('upgrade', (request, socket, head) => {
    socket.on('data', (data: Buffer) => raw.push(data))
    websockets.handleUpgrade(request, socket, head, (link) => void links.push(link))
  })
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve)
  })
  cleanUp.push(() => {
    for (const link of links) link.terminate()
    http.closeAllConnections()
    http.close()
  })
  return { uri: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/x`, raw, links }
}

async function open(
  uri: string,
  onClosed: (end: LinkEnd) => void = () => undefined,
  clock: Clock = systemClock,
): Promise<WebsocketLink> {
  const link = await openLink(uri, {
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    environment: {},
    clock,
    receiver: { ...deaf, linkClosed: onClosed },
  })
  cleanUp.push(() => link.terminate())
  return link
}

/** The masking keys of the first frames, each with a payload below 126 bytes. */
function keysOf(bytes: Buffer): readonly string[] {
  const keys: string[] = []
  for (let at = 0; at + 6 <= bytes.length; at += 6 + ((bytes[at + 1] ?? 0) & 0x7f)) {
    keys.push(bytes.subarray(at + 2, at + 6).toString('hex'))
  }
  return keys
}

test('to a relay of ours on this machine the masking key is zero, to an old one it is not', async () => {
  const ours = await startServer(true)
  const old = await startServer(false)
  const toOurs = await open(ours.uri)
  const toOld = await open(old.uri)
  expect([toOurs.isTunnel, toOld.isTunnel]).toEqual([true, false])
  for (const link of [toOurs, toOld]) for (let i = 0; i < 4; i++) link.sendBytes(Buffer.alloc(10))
  await expect.poll(() => Buffer.concat(ours.raw).length).toBe(64)
  await expect.poll(() => Buffer.concat(old.raw).length).toBe(64)

  expect(new Set(keysOf(Buffer.concat(ours.raw)))).toEqual(new Set(['00000000']))
  expect(new Set(keysOf(Buffer.concat(old.raw))).size).toBe(4)
})

test('a relay that refuses is told by its status, and one that is not there by its fault', async () => {
  const refusing = createServer()
  refusing.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n'),
  )
  await new Promise<void>((resolve) => {
    refusing.listen(0, '127.0.0.1', resolve)
  })
  const { port } = refusing.address() as AddressInfo
  await expect(open(`ws://127.0.0.1:${port}/x`)).rejects.toMatchObject({
    code: 'RELAY_REFUSED',
    details: { status: 401 },
  })
  refusing.closeAllConnections()
  await new Promise((resolve) => refusing.close(resolve))

  await expect(open(`ws://127.0.0.1:${port}/x`)).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' })
})

test('a control message that is too long ends the link', async () => {
  const ours = await startServer(true)
  const ends: LinkEnd[] = []
  await open(ours.uri, (end) => void ends.push(end))
  await expect.poll(() => ours.links.length).toBe(1)
  ours.links[0]?.send('x'.repeat(16_385))

  await expect.poll(() => ends).toMatchObject([{ code: 1006, reason: 'a control message was too long' }])
})

test('a link says that it is full, and that it has drained', async () => {
  const ours = await startServer(true)
  const link = await open(ours.uri)
  await expect.poll(() => ours.links.length).toBe(1)
  ours.links[0]?.pause()
  let drains = 0
  link.receiver = { ...deaf, linkDrained: () => void (drains += 1) }
  const chunk = Buffer.alloc(65_536)
  for (let i = 0; i < 400 && !link.isFull; i++) {
    link.sendBytes(chunk)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(link.isFull).toBe(true)
  ours.links[0]?.resume()

  await expect.poll(() => drains).toBe(1)
  expect(link.bufferedBytes).toBeLessThanOrEqual(262_144)
})

test('a link that is not read is not taken for silent', async () => {
  const ours = await startServer(true)
  const clock = new FakeClock()
  const heard: string[] = []
  const link = await open(ours.uri, ({ reason }) => void heard.push(reason), clock)
  link.receiver = { ...link.receiver, linkText: (text) => void heard.push(text) }
  await expect.poll(() => ours.links.length).toBe(1)
  link.pause()
  await clock.advance(60_000)
  ours.links[0]?.send('still there')
  link.resume()

  await expect.poll(() => heard).toEqual(['still there'])
})

/** A `LocalEnd` over one end of a real TCP connection, the other end, and what was heard. */
async function localPair(): Promise<{ local: LocalEnd; other: Socket; heard: string[] }> {
  const accepted: Socket[] = []
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => void accepted.push(socket))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  await expect.poll(() => accepted.length).toBe(1)
  const [other] = accepted
  if (other === undefined) throw new Error('nobody was accepted')
  other.on('error', () => undefined)
  cleanUp.push(() => {
    socket.destroy()
    other.destroy()
    server.close()
  })
  const heard: string[] = []
  const events: LocalEvents = {
    localBytes: (data) => void heard.push(data.toString()),
    localEnded: () => void heard.push('ended'),
    localTook: (bytes) => void heard.push(`took ${bytes}`),
    localTookEnd: () => void heard.push('took end'),
    localBroke: ({ code }) => void heard.push(code),
  }
  const local = new LocalEnd(
    { readable: socket, writable: socket, reset: () => socket.resetAndDestroy() },
    events,
  )
  return { local, other, heard }
}

test('a local end reads nothing before it shall, and carries each end of the connection alone', async () => {
  const { local, other, heard } = await localPair()
  other.write('hello')
  const got: Buffer[] = []
  other.on('data', (data) => got.push(data))
  local.write(Buffer.from('one '))
  local.write(Buffer.from('two'))
  local.end()
  await expect.poll(() => heard).toEqual(['took 7', 'took end'])
  await expect.poll(() => Buffer.concat(got).toString()).toBe('one two')

  local.resume()
  await expect.poll(() => heard.at(-1)).toBe('hello')
  other.end()
  await expect.poll(() => heard.at(-1)).toBe('ended')
  expect(heard).not.toContain('LOCAL_BROKE')
})

test('a connection that is reset is told once, and a reset of ours is not', async () => {
  const broken = await localPair()
  broken.local.resume()
  broken.other.resetAndDestroy()
  await expect.poll(() => broken.heard).toEqual(['LOCAL_BROKE'])

  const { local, other, heard } = await localPair()
  local.resume()
  const seen = new Promise<string>((resolve) => {
    other.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)))
    other.resume()
  })
  local.reset()
  expect(await seen).toBe('ECONNRESET')
  expect(heard).toEqual([])
})
