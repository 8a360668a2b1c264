import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { RunningRelay } from './support/running-relay.ts'
import { claimsFor, mint } from './support/tokens.ts'

let running: RunningRelay
beforeAll(async () => {
  running = await RunningRelay.start({ generation: '0.2.2' })
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

/** The address of an answer, as the relay would be reached. */
function reachable(text: string): string {
  return (JSON.parse(text) as { uri: string }).uri.replace(
    'ws://relay.invalid',
    `ws://127.0.0.1:${running.ports.relay}`,
  )
}

/** As the Go host asks (spec session 7.6): no body, no content type, no accept, its own agent, status ignored. */
async function goHostPost(topic: string): Promise<string> {
  const asking = request(`${running.access}/session/${topic}`, {
    method: 'POST',
    headers: {
      'User-Agent': 'Go-http-client/1.1',
      'Content-Length': '0',
      Authorization: mint(claimsFor(topic, { scopes: ['write'] })),
      'Accept-Encoding': 'gzip',
    },
  })
  asking.end()
  const [response] = (await once(asking, 'response')) as [NodeJS.ReadableStream]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return reachable(text)
}

/** As a booking page asks (spec session 8): axios with a JSON body. */
async function browserPost(topic: string): Promise<string> {
  const response = await fetch(`${running.access}/session/${topic}`, {
    method: 'POST',
    headers: {
      Accept: 'application/json, text/plain, */*',
      'Content-Type': 'application/json',
      Authorization: mint(claimsFor(topic)),
    },
    body: '{}',
  })
  expect(response.status).toBe(200)
  return reachable(await response.text())
}

async function opened(socket: WebSocket): Promise<WebSocket> {
  await once(socket, 'open')
  return socket
}

/** Cuts a message into frames of 4096 bytes, as the Go client library always does. */
function sendLikeGo(socket: WebSocket, data: Buffer): void {
  for (let at = 0; at < data.length; at += 4096) {
    socket.send(data.subarray(at, at + 4096), { binary: true, fin: at + 4096 >= data.length })
  }
}

describe('a Go host and a browser page', () => {
  test('video: frames of the host reach jsmpeg, which offers the protocol "null"', async () => {
    const host = await opened(new WebSocket(await goHostPost('spin30-video')))
    const page = await opened(new WebSocket(await browserPost('spin30-video'), ['null']))
    expect(page.protocol).toBe('null')
    const frame = Buffer.alloc(188 * 90, 0x47)

    const heard = once(page, 'message')
    sendLikeGo(host, frame)

    const [data, isBinary] = (await heard) as [Buffer, boolean]
    expect(isBinary).toBe(true)
    expect(data.equals(frame)).toBe(true)
    host.terminate()
    page.terminate()
  })

  test('data: every text of the instrument can be parsed alone, commands go back as text', async () => {
    const answer = await running.post('spin30-data', mint(claimsFor('spin30-data')))
    const host = await opened(new WebSocket(reachable(await answer.text())))
    const page = await opened(new WebSocket(await browserPost('spin30-data')))
    const readings: unknown[] = []
    page.on('message', (data, isBinary) => {
      if (!isBinary) readings.push(JSON.parse((data as Buffer).toString()))
    })
    for (let n = 0; n < 50; n++) host.send(JSON.stringify({ n }))
    const command = once(host, 'message')
    page.send(JSON.stringify({ set: 'mode', to: 'stop' }))

    const [data, isBinary] = (await command) as [Buffer, boolean]
    page.ping()
    await once(page, 'pong')

    expect([data.toString(), isBinary]).toEqual(['{"set":"mode","to":"stop"}', false])
    expect(readings).toEqual(Array.from({ length: 50 }, (_, n) => ({ n })))
    host.terminate()
    page.terminate()
  })

  test('a rule that is deleted closes with 1000, and gets that back', async () => {
    const host = await opened(new WebSocket(await goHostPost('t')))

    host.close(1000)

    const [code] = (await once(host, 'close')) as [number]
    expect(code).toBe(1000)
  })

  test('jsmpeg, which dials a spent address again and again, is refused each time and harms nobody', async () => {
    const address = await browserPost('t')
    const first = await opened(new WebSocket(address, ['null']))
    first.terminate()

    const refusals = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const again = new WebSocket(address, ['null'])
        again.on('error', () => {})
        const [, response] = (await once(again, 'unexpected-response')) as [unknown, { statusCode: number }]
        again.terminate()
        return response.statusCode
      }),
    )

    expect(new Set(refusals)).toEqual(new Set([401]))
  })
})
