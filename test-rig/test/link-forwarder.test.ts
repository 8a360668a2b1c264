import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LinkForwarder } from '../soak/link-forwarder.ts'

/** Long enough to be sure that nothing comes; what comes is awaited. */
const quietMs = 300

describe('a forwarded link', () => {
  let stack: AsyncDisposableStack
  let forwarder: LinkForwarder
  let port: number
  beforeEach(async () => {
    stack = new AsyncDisposableStack()
    const echo: Server = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
    echo.listen(0, '127.0.0.1')
    await once(echo, 'listening')
    stack.defer(() => void echo.close())
    forwarder = stack.use(new LinkForwarder())
    port = await forwarder.forward((echo.address() as AddressInfo).port)
  })
  afterEach(async () => await stack.disposeAsync())

  async function dial(): Promise<{ readonly socket: Socket; readonly received: () => string }> {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    stack.defer(() => void socket.destroy())
    await once(socket, 'connect')
    return { socket, received: () => text }
  }

  test('carries bytes both ways, and the end of them', async () => {
    const { socket, received } = await dial()
    socket.end('x'.repeat(1_000_000))
    await once(socket, 'end')

    expect(received().length).toBe(1_000_000)
  })

  test('carries nothing while it is stalled, tells nobody, and goes on where it was', async () => {
    const { socket, received } = await dial()
    forwarder.set({ kind: 'stalled' })
    socket.write('before')
    const later = await dial()
    later.socket.write('new')
    await sleep(quietMs)
    expect([received(), later.received(), socket.closed, later.socket.closed]).toEqual(['', '', false, false])

    const both = Promise.all([once(socket, 'data'), once(later.socket, 'data')])
    forwarder.set({ kind: 'open' })
    await both
    expect([received(), later.received()]).toEqual(['before', 'new'])
  })

  test('resets what is open and what comes while it is cut', async () => {
    const { socket } = await dial()
    const broken = brokenOff(socket)
    forwarder.set({ kind: 'cut' })
    expect(await broken).toBe('ECONNRESET')
    expect(await brokenOff(connect(port, '127.0.0.1'))).toBe('ECONNRESET')

    forwarder.set({ kind: 'open' })
    const { socket: again, received } = await dial()
    again.write('hello')
    await once(again, 'data')
    expect(received()).toBe('hello')
  })

  test('takes its time while it is slow', async () => {
    const { socket } = await dial()
    forwarder.set({ kind: 'slow', bytesPerSec: 50_000 })
    const fromMs = performance.now()
    socket.write('x'.repeat(10_000))
    await once(socket, 'data')

    // There and back, 0.2 s each, and no timer comes early by more than its own grain.
    expect(performance.now() - fromMs).toBeGreaterThan(190)
  })
})

/** How a connection broke: the code of its error. */
function brokenOff(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code))
  })
}
