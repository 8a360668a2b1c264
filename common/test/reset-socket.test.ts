import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { resetSocket } from '@relay/common/tunnel/reset-socket'
import { afterEach, expect, test } from 'vitest'

const cleanups: (() => void)[] = []

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

async function pair(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  const [far] = await accepted
  far.resume().on('error', () => undefined)
  cleanups.push(() => far.destroy())
  return { near, far }
}

async function openFiles(): Promise<number> {
  return (await readdir('/proc/self/fd')).length
}

test.each([
  ['at once', () => undefined],
  ['with bytes before its FIN', (socket: Socket) => void socket.end(Buffer.alloc(8_000_000))],
])('a connection that is reset %s is reset at the other end and closed here', async (_when, before) => {
  const { near, far } = await pair()
  const files = await openFiles()
  const broken = once(far, 'error')

  before(near)
  resetSocket(near)

  expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
  await expect.poll(openFiles).toBeLessThan(files)
})

test('a connection that is reset right after its FIN was asked for gives its descriptor back', async () => {
  const { near, far } = await pair()
  const files = await openFiles()
  const ended = once(far, 'end')

  near.end()
  resetSocket(near)

  await ended
  await expect.poll(openFiles).toBe(files - 1)
})
