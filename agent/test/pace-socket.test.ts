import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { openTcpLink } from '../src/instrument/net/tcp-link.ts'
import { eventually } from './eventually.ts'

test('a server that floods is read no faster than a line can speak, to the last byte, and leaves no alarm behind', async () => {
  const total = 2_000_000
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write(Buffer.alloc(total, 'x'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const clock = new FakeClock()
  const { port } = server.address() as AddressInfo
  let received = 0
  const link = await openTcpLink(
    { host: '127.0.0.1', port, address: 'tcp://there' },
    { onData: (chunk) => void (received += chunk.length), onClosed: () => undefined },
    { clock, signal: new AbortController().signal },
  )
  await eventually(() => received >= 131_072)
  const sinceMs = clock.monotonicMs()
  // One reading of a socket may come on top.
  expect(received).toBeLessThanOrEqual(131_072 + 65_536)

  await eventually(() => {
    void clock.advance(50)
    return received === total
  })
  expect(clock.monotonicMs() - sinceMs).toBeGreaterThan(900)

  const closed = link.close()
  server.close()
  await eventually(() => {
    void clock.advance(50)
    return clock.pending === 0
  })
  await closed
})
