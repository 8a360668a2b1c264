import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Child } from './support/child.ts'
import { rawHttp } from '../../common/test/support/raw-http.ts'
import { audience, claimsFor, mint, secret } from './support/tokens.ts'
import { Viewer } from './support/viewer.ts'

const environment = {
  RELAY_AUDIENCE: audience,
  RELAY_URL: 'ws://relay.invalid',
  RELAY_SECRET: secret,
  RELAY_PORT_ACCESS: '0',
  RELAY_PORT_RELAY: '0',
  RELAY_METRICS_PORT: '0',
  RELAY_ALLOW_NO_BOOKING_ID: 'true',
}
const old022 = {
  RELAY_ACCESSFQDN: audience,
  RELAY_RELAYFQDN: 'ws://relay.invalid',
  RELAY_SECRET: secret,
  RELAY_ACCESSPORT: '0',
  RELAY_RELAYPORT: '0',
}

/** Where a child listens, from its log. */
async function portsOf(child: Child): Promise<{ access: number; relay: number }> {
  const log = await child.prints(/"relay started"/)
  const line = log.split('\n').find((text) => text.includes('"relay started"')) ?? '{}'
  return (JSON.parse(line) as { ports: { access: number; relay: number } }).ports
}

async function joinTopic(ports: { access: number; relay: number }): Promise<Viewer> {
  const response = await fetch(`http://127.0.0.1:${ports.access}/session/t`, {
    method: 'POST',
    headers: { authorization: mint(claimsFor('t')) },
  })
  const { uri } = (await response.json()) as { uri: string }
  return await Viewer.dial(uri.replace('ws://relay.invalid', `ws://127.0.0.1:${ports.relay}`))
}

let blocker: Server
let blockedPort: number
beforeEach(async () => {
  blocker = createServer()
  await new Promise<void>((resolve) => {
    blocker.listen(0, resolve)
  })
  const address = blocker.address()
  blockedPort = typeof address === 'object' && address !== null ? address.port : 0
})
afterEach(async () => {
  await new Promise((resolve) => {
    blocker.close(resolve)
  })
})

describe('a relay as a process', () => {
  test.each([
    ['relay', ['serve'], environment, 'SIGTERM'],
    ['relay', ['serve'], environment, 'SIGINT'],
    ['session', ['relay'], old022, 'SIGTERM'],
  ] as const)(
    '%s %j drains at %4$s and exits with 0 within 5 s',
    async (program, words, settings, signal) => {
      await using child = new Child({ program, arguments: words, environment: settings })
      const ports = await portsOf(child)
      const [speaker, viewer, mute] = await Promise.all([
        joinTopic(ports),
        joinTopic(ports),
        joinTopic(ports),
      ])
      // This one never answers the close frame.
      mute.socket.pause()
      speaker.send('the last words')
      await viewer.hear(1)
      const startedMs = performance.now()

      child.process.kill(signal)

      expect(await viewer.end()).toMatchObject({ code: 1001, reason: 'going away' })
      expect((await child.ended).code).toBe(0)
      expect(performance.now() - startedMs).toBeLessThan(5000)
      mute.terminate()
    },
  )

  test.each([
    ['nothing yet', ''],
    ['half a header', 'POST /session/t HTTP/1.1\r\nHost: loc'],
    ['half a body', 'POST /session/t HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{}'],
  ])('ends within 5 s of SIGTERM whoever has sent %s on its ports', async (_what, bytes) => {
    await using child = new Child({ arguments: ['serve'], environment })
    const ports = await portsOf(child)
    const peers = [ports.access, ports.relay].map((port) => connect(port, '127.0.0.1').on('error', () => {}))
    for (const peer of peers) if (peer.connecting) await once(peer, 'connect')
    for (const peer of peers) if (bytes !== '') peer.write(bytes)
    // An answer to a later connection: the relay has taken the ones before.
    await rawHttp(ports.access, { target: '/healthz' })
    await rawHttp(ports.relay, { target: '/' })
    const startedMs = performance.now()

    child.process.kill('SIGTERM')

    expect((await child.ended).code).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(5000)
    for (const peer of peers) peer.destroy()
  })

  test('is ready, and while it stops it is not: it takes nobody in any more', async () => {
    await using child = new Child({ arguments: ['serve'], environment })
    const ports = await portsOf(child)
    const viewer = await joinTopic(ports)
    const ask = async (method: string, target: string) =>
      await rawHttp(ports.access, { method, target, headers: { Authorization: mint(claimsFor('t')) } })
    expect(await ask('GET', '/readyz')).toMatchObject({ status: 200, body: '{"status":"ok"}\n' })
    viewer.socket.pause()

    child.process.kill('SIGTERM')
    await child.prints(/"relay stopping"/)

    expect(await ask('GET', '/readyz')).toMatchObject({ status: 503, body: '{"status":"draining"}\n' })
    expect(await ask('GET', '/healthz')).toMatchObject({ status: 200 })
    expect(await ask('POST', '/session/t')).toMatchObject({
      status: 503,
      body: '{"code":503,"message":"the relay is stopping: try again"}',
    })
    expect((await child.ended).code).toBe(0)
    viewer.terminate()
  })

  test.each([
    ['RELAY_PORT_ACCESS', 'the access API'],
    ['RELAY_PORT_RELAY', 'the websocket relay'],
    ['RELAY_METRICS_PORT', 'the metrics'],
  ])('whose %s is taken says so in one sentence and exits with 69', async (name, what) => {
    const taken = { ...environment, [name]: String(blockedPort) }
    if (name === 'RELAY_METRICS_PORT') Object.assign(taken, { RELAY_METRICS_HOST: '::' })

    const { code, stderr } = await Child.run({ arguments: ['serve'], environment: taken })

    expect(code).toBe(69)
    expect(stderr).toMatch(
      new RegExp(`^relay: ${what}: port ${blockedPort}( of ::)? is in use by another program; .*\n$`),
    )
  })

  test('an empty secret lets nothing start: 78', async () => {
    const { code, stderr, stdout } = await Child.run({
      program: 'session',
      arguments: ['relay'],
      environment: { ...old022, RELAY_SECRET: '' },
    })

    expect(code).toBe(78)
    expect(stdout).toBe('')
    expect(stderr).toMatch(
      /^session: the configuration of relay is wrong\n {2}secret: no secret and no keys are set, .*\n$/,
    )
  })

  test('a short secret is warned of', async () => {
    await using child = new Child({
      arguments: ['serve'],
      environment: { ...environment, RELAY_SECRET: 'testsecret' },
    })
    await portsOf(child)

    expect(child.stdout).toMatch(/"level":"warn".*"bytes":10,"wantedBytes":32,"msg":"a secret is short/)
    expect(child.stdout).not.toContain('testsecret')
  })

  test('without the variables that 0.9.3 wants, it asks for them in the old words', async () => {
    expect(await Child.run({ arguments: ['serve'] })).toEqual({
      code: 1,
      stdout: 'You must set RELAY_AUDIENCE\nYou must set RELAY_URL\nYou must set RELAY_SECRET\n',
      stderr: '',
    })
    expect(
      await Child.run({ arguments: ['serve'], environment: { ...environment, RELAY_URL: '' } }),
    ).toMatchObject({
      code: 1,
      stdout: 'You must set RELAY_URL\n',
    })
  })

  test('all that is wrong is told at once, with 78', async () => {
    const { code, stderr } = await Child.run({
      arguments: ['serve', '--relay-port', '99999'],
      environment: {
        ...environment,
        RELAY_URL: 'http://x',
        RELAY_STATS_EVERY: 'soon',
        RELAY_BUFFER_SIZE: '128',
      },
    })

    expect(code).toBe(78)
    expect(stderr.split('\n').filter((line) => line.startsWith('  '))).toEqual([
      expect.stringMatching(/^ {2}RELAY_URL: "http:\/\/x" is not an address that begins with wss:/),
      expect.stringMatching(/^ {2}--relay-port: 99999 /),
      expect.stringMatching(/^ {2}RELAY_STATS_EVERY: "soon" is not a duration/),
    ])
  })

  test.each([
    [['serve', '--nonsense'], 64],
    [['nonsense'], 64],
    [[], 64],
  ])('wrong arguments %j: one sentence and 64', async (words, code) => {
    const ended = await Child.run({ arguments: words, environment })

    expect(ended.code).toBe(code)
    expect(ended.stderr).toMatch(/^relay: .*\nSee "relay --help"\.\n$/)
  })
})

describe('the configuration file', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'relay-config-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  test('gives the settings, and "config" shows them without secrets', async () => {
    const file = join(folder, 'relay.yaml')
    await writeFile(file, 'audience: https://a\nurl: wss://r\nsecret: hush-hush\naccess:\n  port: 1234\n')

    const { code, stdout } = await Child.run({ arguments: ['config', '--config', file] })

    expect(code).toBe(0)
    expect(stdout).not.toContain('hush-hush')
    expect(JSON.parse(stdout)).toMatchObject({
      audience: 'https://a',
      secret: '(set)',
      access: { port: 1234 },
      relay: { port: 3001 },
      allowNoBookingId: false,
    })
  })

  test.each([
    ['audience: [1\n', 78],
    ['audience: https://a\nurl: wss://r\nsecret: s\naccess:\n  prot: 1\n', 78],
  ])('%j is refused, with file and line', async (text, code) => {
    const file = join(folder, 'relay.yaml')
    await writeFile(file, text)

    const ended = await Child.run({ arguments: ['serve', '--config', file] })

    expect(ended.code).toBe(code)
    expect(ended.stderr).toMatch(/relay\.yaml line \d/)
  })

  test('that is not there is named', async () => {
    const ended = await Child.run({ arguments: ['serve', '--config', join(folder, 'none.yaml')] })

    expect(ended.code).toBe(78)
    expect(ended.stderr).toMatch(/^relay: the configuration file .*none\.yaml cannot be read: .*\n$/)
  })
})
