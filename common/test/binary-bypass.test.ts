import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { bypassBinary } from '../src/tunnel/binary-bypass.ts'

const cleanUps: (() => void)[] = []

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

interface Meeting {
  readonly server: WebSocket
  readonly serverTcp: Duplex
  readonly client: WebSocket
  readonly bytes: Buffer[]
  readonly messages: { readonly text: string; readonly isBinary: boolean }[]
}

/** A server whose binary messages go past the library, and a client of the library. */
async function meet(): Promise<Meeting> {
  const sockets = new WebSocketServer({ noServer: true })
  const http = createServer()
  const bytes: Buffer[] = []
  const messages: Meeting['messages'] = []
  const met = Promise.withResolvers<{ server: WebSocket; serverTcp: Duplex }>()
  http.on('upgrade', (request: IncomingMessage, tcp, head) => {
    sockets.handleUpgrade(request, tcp, head, (server) => {
      server.on('message', (data: Buffer, isBinary) => messages.push({ text: data.toString(), isBinary }))
      server.on('error', () => {})
      const isBypassed = bypassBinary(server, {
        tcp,
        isPeerClient: true,
        maxFrameBytes: 1_000_000,
        onBytes: (data) => bytes.push(data),
      })
      expect(isBypassed).toBe(true)
      met.resolve({ server, serverTcp: tcp })
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
  client.on('error', () => {})
  cleanUps.push(() => {
    client.terminate()
    http.closeAllConnections()
    http.close()
  })
  const [both] = await Promise.all([met.promise, once(client, 'open')])
  return { ...both, client, bytes, messages }
}

test('bytes go the short way, text, pings and the close through the library, all in order', async () => {
  const { server, client, bytes, messages } = await meet()
  const large = Buffer.alloc(300_000, 'large')
  const closed = once(server, 'close')
  client.send('one')
  client.send(large)
  client.ping('are you there')
  client.send('two')
  client.send(Buffer.from('small'))
  const [pong] = (await once(client, 'pong')) as [Buffer]
  client.close(1000, 'done')
  const [code, reason] = (await closed) as [number, Buffer]
  expect(pong.toString()).toBe('are you there')
  expect(Buffer.concat(bytes).equals(Buffer.concat([large, Buffer.from('small')]))).toBe(true)
  expect(messages).toEqual([
    { text: 'one', isBinary: false },
    { text: 'two', isBinary: false },
  ])
  expect([code, reason.toString()]).toEqual([1000, 'done'])
})

test('what a paused connection holds at its end is read as what it is, not in the middle of a frame', async () => {
  const { server, serverTcp, client, bytes, messages } = await meet()
  client.send(Buffer.alloc(100_000, 'a'))
  await expect.poll(() => Buffer.concat(bytes).length).toBe(100_000)
  // The beginning of a frame, then the rest of it, which is a whole frame with a text for who begins to read there.
  const tcp = (client as unknown as { readonly _socket: Socket })._socket
  const rest = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x6e, 0x6f])
  tcp.write(Buffer.concat([Buffer.from([0x82, 0x8a, 0, 0, 0, 0]), Buffer.from('so')]))
  await expect.poll(() => Buffer.concat(bytes).length).toBe(100_002)
  server.pause()
  const closed = once(server, 'close')
  tcp.write(rest)
  await expect.poll(() => serverTcp.readableLength).toBe(rest.length)
  serverTcp.destroy()
  await closed
  expect(messages).toEqual([])
  expect(Buffer.concat(bytes).subarray(100_000)).toEqual(Buffer.concat([Buffer.from('so'), rest]))
})

test('a frame without its mask ends the connection with 1002, as the library does', async () => {
  const { client, bytes } = await meet()
  const closed = once(client, 'close')
  const tcp = (client as unknown as { readonly _socket: Socket })._socket
  tcp.write(Buffer.from([0x82, 0x02, 1, 2]))
  const [code] = (await closed) as [number]
  expect(code).toBe(1002)
  expect(bytes).toEqual([])
})

test('a message within a binary one ends the connection', async () => {
  const { server, client, bytes } = await meet()
  const closed = once(server, 'close')
  const tcp = (client as unknown as { readonly _socket: Socket })._socket
  tcp.write(Buffer.from([0x02, 0x81, 0, 0, 0, 0, 65, 0x81, 0x81, 0, 0, 0, 0, 66]))
  const [code] = (await closed) as [number]
  expect(code).toBe(1006)
  expect(Buffer.concat(bytes).toString()).toBe('A')
})

test('changes nothing where somebody else reads the connection too', async () => {
  const { server, serverTcp: tcp } = await meet()
  const listeners = [...tcp.listeners('data'), () => {}]
  tcp.on('data', listeners[1] as () => void)
  expect(bypassBinary(server, { tcp, isPeerClient: true, maxFrameBytes: 1, onBytes: () => {} })).toBe(false)
  expect(tcp.listeners('data')).toEqual(listeners)
})
