import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Counter, Gauge, Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serveMetrics } from '../src/metrics-server.ts'

let registry: Registry
let server: Server
let address = ''

beforeEach(async () => {
  registry = new Registry()
  new Counter({ name: 'relay_dropped_messages_total', help: 'messages lost', registers: [registry] }).inc(3)
  server = await serveMetrics(registry, { host: '127.0.0.1', port: 0 })
  const { address: host, port } = server.address() as AddressInfo
  address = `http://${host}:${port}`
})
afterEach(async () => {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
})

describe('metrics', () => {
  test('are served in the format of Prometheus', async () => {
    const response = await fetch(`${address}/metrics`)

    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await response.text()).toContain('relay_dropped_messages_total 3')
  })

  test.each([
    ['GET', '/metrics?collect[]=x', 200],
    ['HEAD', '/metrics', 200],
    ['GET', '/', 404],
    ['GET', '/metrics/', 404],
    ['GET', '/metrics/../etc/passwd', 404],
    ['POST', '/metrics', 405],
    ['DELETE', '/', 405],
  ])('%s %s is answered %i', async (method, path, status) => {
    const response = await fetch(address + path, { method })

    expect(response.status).toBe(status)
    expect(response.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD' : null)
  })

  test('a metric that cannot be read is a 500 with a sentence, and the server goes on', async () => {
    const collect = (): never => {
      throw new Error('the disk is gone')
    }
    registry.registerMetric(new Gauge({ name: 'broken', help: 'x', registers: [], collect }))
    const response = await fetch(`${address}/metrics`)

    expect([response.status, await response.text()]).toEqual([500, 'a metric cannot be read\n'])
    expect((await fetch(`${address}/metrics`)).status).toBe(500)
  })
})

test('a client that talks nonsense is answered and dropped, others are served', async () => {
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const answer = new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (data) => (text += data.toString())).on('close', () => resolve(text))
  })
  socket.write('\u0000\u0001nonsense\r\n\r\n')

  expect(await answer).toMatch(/^HTTP\/1\.1 400 /)
  expect((await fetch(`${address}/metrics`)).status).toBe(200)
})

test('a port in use is a clear error', async () => {
  const { port } = server.address() as AddressInfo
  await expect(serveMetrics(registry, { host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: expect.stringMatching(/^the metrics: port \d+ of 127\.0\.0\.1 is in use/) as string,
  })
})

test('what is served beside the metrics is as fresh as the question, with its own status', async () => {
  let count = 0
  const more = {
    '/status': () => ({
      status: 200,
      contentType: 'application/json',
      body: JSON.stringify({ count: ++count }),
    }),
    '/readyz': () => ({ status: 503, contentType: 'text/plain', body: 'not yet\n' }),
  }
  const other = await serveMetrics(registry, { host: '127.0.0.1', port: 0, more })
  const at = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  try {
    const first = await fetch(`${at}/status`)
    expect(first.headers.get('content-type')).toBe('application/json')
    expect(await first.json()).toEqual({ count: 1 })
    expect(await (await fetch(`${at}/status?x`)).json()).toEqual({ count: 2 })
    expect((await fetch(`${at}/status`, { method: 'POST' })).status).toBe(405)
    expect((await fetch(`${at}/constructor`)).status).toBe(404)
    expect((await fetch(`${at}/metrics`)).status).toBe(200)
    const probe = await fetch(`${at}/readyz`)
    expect([probe.status, await probe.text()]).toEqual([503, 'not yet\n'])
  } finally {
    other.closeAllConnections()
    await new Promise((resolve) => other.close(resolve))
  }
})
