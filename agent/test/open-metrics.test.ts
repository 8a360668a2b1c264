import { request } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { madeUpReport } from '../src/health/made-up-report.ts'
import { openMetrics } from '../src/health/open-metrics.ts'
import { freePort } from './agent-workbench.ts'

let close = async (): Promise<void> => undefined
afterEach(() => close())

async function open(host: string): Promise<(path: string, asked: string) => Promise<number | undefined>> {
  const port = await freePort()
  const server = await openMetrics(
    { host, port },
    {
      report: () => madeUpReport(),
      answers: { '/status': () => ({ status: 200, contentType: 'application/json', body: '{}\n' }) },
    },
  )
  close = () => server.close()
  return (path, asked) =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers: { host: asked } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })
}

test.each(['/status', '/metrics', '/else'])(
  'on loopback %s is not for pages that reach into this machine by a name of their own',
  async (path) => {
    const statusOf = await open('127.0.0.1')

    expect(await statusOf(path, 'page.example.org')).toBe(421)
    const usual = path === '/else' ? 404 : 200
    expect(await statusOf(path, 'localhost:9100')).toBe(usual)
    expect(await statusOf(path, '127.0.0.1')).toBe(usual)
  },
)

test('on the network any name is good, as that of the machine is not known here', async () => {
  const statusOf = await open('0.0.0.0')

  expect(await statusOf('/metrics', 'pend00.lab.example.org')).toBe(200)
})
