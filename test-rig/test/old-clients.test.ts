import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import { TopicPeer } from '../src/rig/topic-peer.ts'

/**
 * Clients as they are in the field, written plainly from the description (spec session 7.6 and 8): if one of these
 * needs a change to pass, somebody's experiment stops working.
 */
describe('clients of the field', () => {
  test('the Go host: bare token, no body, no content type; then dials uri and sends fragments of 4096 bytes', async () => {
    await using relay = await RelayUnderTest.start()
    const response = await fetch(relay.topic('spin30-video'), {
      method: 'POST',
      headers: {
        authorization: await relay.token('spin30-video', { scopes: ['write'] }),
        'user-agent': 'Go-http-client/1.1',
        'accept-encoding': 'gzip',
      },
    })
    const { uri } = (await response.json()) as { uri: string }
    await using host = await TopicPeer.dial(uri)
    await using viewer = await relay.join('spin30-video', { scopes: ['read'] })

    const frame = Buffer.alloc(20_116, 7)
    for (let at = 0; at < frame.length; at += 4096) {
      host.socket.send(frame.subarray(at, at + 4096), { binary: true, fin: at + 4096 >= frame.length })
    }

    const received = await viewer.message(() => true)
    expect(received.binary).toBe(true)
    expect(received.data.equals(frame)).toBe(true)
    expect(viewer.received).toHaveLength(1)
  })

  test('the jsmpeg page: POST with {} as JSON, then new WebSocket(uri, "null") for binary', async () => {
    await using relay = await RelayUnderTest.start()
    await using host = await relay.join('spin30-video', { scopes: ['write'] })
    await using page = await TopicPeer.join(
      relay.topic('spin30-video'),
      await relay.token('spin30-video', { scopes: ['read'] }),
      ['null'],
    )
    expect(page.socket.protocol).toBe('null')

    host.send(Buffer.alloc(15_980, 0x47))

    expect((await page.message(() => true)).data).toHaveLength(15_980)
  })

  test('the data page: JSON text both ways, each message parseable by itself', async () => {
    await using relay = await RelayUnderTest.start()
    await using host = await relay.join('spin30-data')
    await using page = await relay.join('spin30-data')

    for (let index = 0; index < 200; index++) host.send(JSON.stringify({ index }))
    page.send('{"set":"speed","to":7}')

    await page.message(({ data }) => data.toString() === '{"index":199}')
    expect(page.received.map(({ data }) => (JSON.parse(data.toString()) as { index: number }).index)).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    )
    expect((await host.text('{"set":"speed","to":7}')).binary).toBe(false)
  })

  test('practable-python: POST with a content type and no body wants exactly 200', async () => {
    await using relay = await RelayUnderTest.start()
    const response = await fetch(relay.topic('spin30-data'), {
      method: 'POST',
      headers: {
        authorization: await relay.token('spin30-data'),
        'content-type': 'application/json',
        'user-agent': 'python-requests/2.28.1',
      },
    })
    expect(response.status).toBe(200)
    const { uri } = (await response.json()) as { uri: string }
    await using peer = await TopicPeer.dial(uri)
    expect(peer.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('a page that reconnects to a used address is refused before the websocket opens', async () => {
    await using relay = await RelayUnderTest.start()
    const response = await fetch(relay.topic('spin30-video'), {
      method: 'POST',
      headers: { authorization: await relay.token('spin30-video', { scopes: ['read'] }) },
    })
    const { uri } = (await response.json()) as { uri: string }
    await using first = await TopicPeer.dial(uri)
    expect(first.socket.readyState).toBe(WebSocket.OPEN)

    const second = new WebSocket(uri, 'null')
    const [, answer] = (await once(second, 'unexpected-response')) as [unknown, { statusCode: number }]

    expect(answer.statusCode).toBe(401)
    second.on('error', () => undefined)
    second.terminate()
  })
})
