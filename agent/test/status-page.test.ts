import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { madeUpReport } from '../src/health/made-up-report.ts'
import {
  type StatusPageDeps,
  type StatusPageOptions,
  StatusPageServer,
} from '../src/health/status-page-server.ts'
import { AgentWorkbench, freePort } from './agent-workbench.ts'
import { eventually } from './eventually.ts'

const report = madeUpReport()

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

async function open(options: Partial<StatusPageOptions> = {}, deps: Partial<StatusPageDeps> = {}) {
  const page = await StatusPageServer.open(
    {
      host: '127.0.0.1',
      port: 0,
      allowPublic: false,
      allowedHosts: ['lab.example.org'],
      hostName: 'pend00',
      ...options,
    },
    {
      report: () => report,
      probes: { '/readyz': () => ({ status: 503, contentType: 'text/plain', body: 'no\n' }) },
      onRefusedPeer: () => undefined,
      monotonicMs: () => performance.now(),
      ...deps,
    },
  )
  cleanUps.push(() => page.close())
  return page
}

interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

function get(
  port: number,
  { host, path = '/', method = 'GET' }: { host?: string; path?: string; method?: string } = {},
) {
  return new Promise<Got>((resolve, reject) => {
    const headers = host === undefined ? {} : { host }
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

describe('the status page', () => {
  test('is served with a policy under which a browser runs nothing else, and kept by nobody', async () => {
    const { port } = await open()
    const { status, headers, text } = await get(port)

    expect(status).toBe(200)
    expect(text).toContain('<h1>pend00</h1>')
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; .*frame-ancestors 'none'$/,
      ) as string,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    })
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  test.each([
    ['GET', '/', 200],
    ['HEAD', '/', 200],
    ['GET', '/?x=1', 200],
    ['GET', '/readyz', 503],
    ['GET', '/status', 404],
    ['GET', '/../etc/passwd', 404],
    ['POST', '/', 405],
    ['PUT', '/readyz', 405],
    ['DELETE', '/', 405],
  ])('%s %s is answered %i', async (method, path, wanted) => {
    const { port } = await open()

    expect((await get(port, { method, path })).status).toBe(wanted)
  })

  test.each([
    ['localhost', 200],
    ['127.0.0.1:80', 200],
    ['192.168.1.7', 200],
    ['[fe80::1]:8890', 200],
    ['pend00', 200],
    ['PEND00.local:8890', 200],
    ['lab.example.org', 200],
    ['evil.example.org', 421],
    ['pend00.evil.example.org', 421],
    ['pend00.local.evil.example.org', 421],
    ['a@pend00', 421],
  ])('under the name %j is answered %i: a name may have been made to point here', async (host, wanted) => {
    const { port } = await open()

    expect((await get(port, { host })).status).toBe(wanted)
  })

  test('cuts whoever comes from outside of the local network, without a byte', async () => {
    let refused = 0
    const deps = { isNeighbour: () => false, onRefusedPeer: () => void (refused += 1) }
    const { port } = await open({ host: '*' }, deps)
    const socket = connect(port, '127.0.0.1')
    let heard = ''
    socket.on('data', (data: Buffer) => (heard += data.toString())).on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write('GET / HTTP/1.0\r\n\r\n')
    await closed

    expect([heard, refused]).toEqual(['', 1])
    const open2 = await open({ host: '*', allowPublic: true }, deps)
    expect((await get(open2.port)).status).toBe(200)
  })

  test('does not listen at a public address, unless that is allowed', async () => {
    const isNeighbour = (): boolean => false

    await expect(open({}, { isNeighbour })).rejects.toMatchObject({ code: 'STATUS_PAGE_PUBLIC' })
    expect((await open({ allowPublic: true }, { isNeighbour })).port).toBeGreaterThan(0)
  })

  test('is made once for many who ask at the same time', async () => {
    let made = 0
    const { port } = await open({}, { report: () => ((made += 1), report), monotonicMs: () => 5_000 })
    await Promise.all(Array.from({ length: 20 }, () => get(port)))

    expect(made).toBe(1)
  })

  test('is off until it has a port, and then shows a running agent', async () => {
    const bench = new AgentWorkbench()
    cleanUps.push(() => bench.tidyUp())
    const port = await freePort()
    const config = bench.write(
      'agent.yaml',
      `name: pend07\nlocalApi: { enabled: false }\nstatus: { socket: "" }\nstatusPage: { host: 127.0.0.1 }\n`,
    )
    const agent = bench.start({ args: ['run', '--config', config, '--status-page-port', String(port)] })
    await eventually(() => agent.log.some(({ msg }) => msg === 'status page is served'), {
      show: () => agent.stdout + agent.stderr,
    })

    expect((await get(port)).text).toContain('<title>pend07: all well</title>')
    expect((await agent.stop()).code).toBe(0)
  })
})
