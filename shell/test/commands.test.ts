import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secretsKeyRing } from '@relay/common/token/key-ring'
import { verifyToken } from '@relay/common/token/verify-token'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../../common/test/support/free-port.ts'
import { Child } from './support/child.ts'
import { audience, claimsFor, mint, RunningShellRelay, secret } from './support/running-shell-relay.ts'
import { WebsocketPeer } from './support/websocket-peer.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shell-commands-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the programs under their old names', () => {
  test.each([
    ['shell', {}, 'SHELLRELAY_SECRET not set\n'],
    ['shell', { SHELLRELAY_SECRET: 's' }, 'SHELLRELAY_ACCESSFQDN not set\n'],
    ['shell', { SHELLRELAY_SECRET: 's', SHELLRELAY_ACCESSFQDN: 'a' }, 'SHELLRELAY_RELAYFQDN not set\n'],
    [
      'jump',
      {},
      'You must set JUMP_RELAY_AUDIENCE\nYou must set JUMP_RELAY_SECRET\nYou must set JUMP_RELAY_URL\n',
    ],
    ['jump', { JUMP_RELAY_SECRET: 's', JUMP_RELAY_URL: 'ws://x' }, 'You must set JUMP_RELAY_AUDIENCE\n'],
  ] as const)(
    '%s relay with %j says on stdout what is missing, exit 1',
    async (program, environment, stdout) => {
      expect(await Child.run({ program, arguments: ['relay'], environment })).toEqual({
        code: 1,
        stdout,
        stderr: '',
      })
    },
  )

  test.each([
    ['shell', {}, 'SHELLCLIENT_RELAYSESSION not set\n'],
    ['shell', { SHELLCLIENT_TOKEN: 'a.b.c' }, 'SHELLCLIENT_RELAYSESSION not set\n'],
    ['shell', { SHELLCLIENT_RELAYSESSION: 'http://x/shell/a' }, 'SHELLCLIENT_TOKEN not set\n'],
    ['jump', { JUMP_CLIENT_TOKEN: '' }, 'JUMP_CLIENT_RELAY_SESSION not set\n'],
    ['jump', { JUMP_CLIENT_RELAY_SESSION: 'http://x/shell/a' }, 'JUMP_CLIENT_TOKEN not set\n'],
  ] as const)('%s client with %j does so too', async (program, environment, stdout) => {
    expect(await Child.run({ program, arguments: ['client'], environment })).toEqual({
      code: 1,
      stdout,
      stderr: '',
    })
  })

  test.each([
    [['--dev', 'relay'], 'SHELLRELAY_SECRET not set\n'],
    [['host', '--log', 'file.log', '--dev=true'], 'SHELLHOST_RELAYSESSION not set\n'],
    [['--log=x', 'token'], 'SHELLTOKEN_LIFETIME not set\n'],
  ] as const)('shell %j takes the flags that never did anything, with one warning', async (words, stdout) => {
    const ended = await Child.run({ arguments: words })

    expect(ended).toMatchObject({ code: 1, stdout })
    expect(ended.stderr).toMatch(/^shell: --(dev|log)( and --(dev|log))? did nothing .*--log-level\n$/)
  })

  test('help of a command is that command with --help', async () => {
    const [asked, told] = await Promise.all([
      Child.run({ program: 'jump', arguments: ['help', 'client'] }),
      Child.run({ program: 'jump', arguments: ['client', '--help'] }),
    ])

    expect(asked).toEqual(told)
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('--local-port') as string })
  })

  test('shell client with an argument or a variable of ours says it in our words', async () => {
    const asked = await Child.run({ arguments: ['client', 'pend00'], environment: { HOME: folder } })
    const set = await Child.run({
      arguments: ['client'],
      environment: { HOME: folder, SHELL_CLIENT_TOKEN_FILE: join(folder, 'none') },
    })

    expect([asked.code, asked.stdout, set.code, set.stdout]).toEqual([78, '', 78, ''])
    expect(asked.stderr).toContain('pend00.token')
    expect(set.stderr).toContain(join(folder, 'none'))
  })

  test.each(['shell', 'jump'] as const)('%s relay runs from its variables, and drains', async (program) => {
    const [access, relay, metrics] = [await freePort(), await freePort(), await freePort()]
    const environment =
      program === 'shell'
        ? {
            // Hexadecimal, as Go reads it.
            SHELLRELAY_ACCESSPORT: `0x${access.toString(16)}`,
            SHELLRELAY_RELAYPORT: String(relay),
            SHELLRELAY_ACCESSFQDN: audience,
            SHELLRELAY_RELAYFQDN: `ws://127.0.0.1:${relay}`,
            SHELLRELAY_SECRET: secret,
            SHELLRELAY_METRICS_PORT: String(metrics),
          }
        : {
            JUMP_RELAY_PORT_ACCESS: String(access),
            JUMP_RELAY_PORT_RELAY: String(relay),
            JUMP_RELAY_AUDIENCE: audience,
            JUMP_RELAY_URL: `ws://127.0.0.1:${relay}`,
            JUMP_RELAY_SECRET: secret,
            JUMP_RELAY_LOG_FILE: '/var/log/relay/relay.log',
            JUMP_RELAY_BUFFER_SIZE: '128',
            JUMP_RELAY_STATS_EVERY: '10ms',
            SHELLRELAY_METRICS_PORT: String(metrics),
          }
    await using child = new Child({ program, arguments: ['relay'], environment })
    await child.prints(/relay started/)
    const ignored = child.stdout.match(/[A-Z_]+_BUFFER_SIZE: limits are in bytes/g) ?? []
    expect(ignored).toHaveLength(program === 'jump' ? 1 : 0)
    const response = await fetch(`http://127.0.0.1:${access}/shell/pend00`, {
      method: 'POST',
      headers: { authorization: mint(claimsFor('pend00')) },
    })
    const { uri } = (await response.json()) as { uri: string }
    const host = await WebsocketPeer.open(uri, { isOurs: true })
    const figures = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    expect(figures).toMatch(/^shell_relay_hosts 1$/m)

    child.process.kill('SIGTERM')

    expect(await host.closed).toEqual({ code: 1001, reason: 'relay-stopping' })
    expect((await child.ended).code).toBe(0)
    expect(child.stdout).not.toContain(secret)
  })

  const relayWords = ['--access-host', '127.0.0.1', '--relay-port', '0', '--access-port']
  const relayEnvironment = {
    SHELLRELAY_SECRET: secret,
    SHELLRELAY_AUDIENCE: audience,
    SHELLRELAY_URL: 'ws://x',
  }
  const clientToken = mint(claimsFor('pend00', { scopes: ['client'] }))

  test.each([
    ['shell', ['serve', ...relayWords], relayEnvironment, 69],
    ['shell', ['relay', ...relayWords], relayEnvironment, 1],
    ['jump', ['relay', ...relayWords], relayEnvironment, 1],
    ['shell', ['client', '--local-port'], { SHELLCLIENT_TOKEN: clientToken }, 69],
    ['jump', ['client', '--local-port'], { JUMP_CLIENT_TOKEN: clientToken }, 1],
  ] as const)('%s %j with a port that is taken ends with one sentence', async (...given) => {
    const [program, words, environment, code] = given
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? String(address?.port) : ''

    const ended = await Child.run({ program, arguments: [...words, port], environment })
    server.close()

    expect(ended.code).toBe(code)
    expect(ended.stderr).toMatch(
      new RegExp(`^${program}: .*port ${port} of 127.0.0.1 is in use by another program; .*\n$`),
    )
  })

  test('shell serve says everything that is wrong at once, exit 78', async () => {
    const ended = await Child.run({
      arguments: ['serve'],
      environment: { SHELLRELAY_ACCESS_PORT: 'abc', SHELLRELAY_URL: 'wss://x/' },
    })

    expect(ended.code).toBe(78)
    expect(ended.stderr.match(/^ {2}[\w.]+: /gm)).toEqual([
      '  audience: ',
      '  SHELLRELAY_URL: ',
      '  SHELLRELAY_ACCESS_PORT: ',
      '  secret: ',
    ])
  })

  test('settings shows what is in force, without secrets', async () => {
    const file = join(folder, 'shell.yaml')
    await writeFile(file, 'audience: https://a\nurl: wss://b\nrelay: { waitForHost: 30s }\n')

    const { code, stdout } = await Child.run({
      arguments: ['settings', '--config', file],
      environment: { SHELLRELAY_SECRET: secret },
    })

    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      audience: 'https://a',
      secret: '(set)',
      access: { port: 3002 },
      relay: { port: 3003, waitForHost: 30_000 },
    })
    expect(stdout).not.toContain(secret)
  })
})

describe('token', () => {
  const common = { SECRET: secret, TOPIC: 'pend00', AUDIENCE: audience, LIFETIME: '300', ROLE: 'client' }
  const environments = {
    shell: { ...prefixed('SHELLTOKEN', common), SHELLTOKEN_CONNECTIONTYPE: 'shell' },
    jump: { ...prefixed('JUMP_TOKEN', common), JUMP_TOKEN_CONNECTION_TYPE: 'connect' },
  }

  function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value]))
  }

  test.each([
    ['shell', 'shell'],
    ['jump', 'connect'],
  ] as const)('%s token prints a token from its variables, and nothing else', async (program, prefix) => {
    const { code, stdout, stderr } = await Child.run({
      program,
      arguments: ['token'],
      environment: environments[program],
    })

    expect([code, stderr]).toEqual([0, ''])
    const claims = await verifyToken(stdout.trim(), {
      keys: secretsKeyRing(secret),
      nowMs: Date.now(),
      audience,
    })
    expect(claims).toMatchObject({ topic: 'pend00', prefix, scopes: ['client'], bookingId: '' })
  })

  test('with options the kind of connection need not be said, and the secret comes from a file', async () => {
    const file = join(folder, 'secret')
    await writeFile(file, `${secret}\n`)
    const words = ['--topic', 'pend00', '--role', 'host', '--lifetime', '365d', '--audience', audience]

    const { code, stdout } = await Child.run({
      arguments: ['token', ...words, '--booking-id', 'bk', '--secret-file', file],
    })

    expect(code).toBe(0)
    const claims = await verifyToken(stdout.trim(), {
      keys: secretsKeyRing(secret),
      nowMs: Date.now(),
      audience,
    })
    expect(claims).toMatchObject({ prefix: 'shell', scopes: ['host'], bookingId: 'bk' })
  })

  test.each([
    ['shell', 'SHELLTOKEN_LIFETIME', '', 'SHELLTOKEN_LIFETIME not set\n'],
    ['shell', 'SHELLTOKEN_CONNECTIONTYPE', '', 'SHELLTOKEN_CONNECTIONTYPE not set\n'],
    ['jump', 'JUMP_TOKEN_SECRET', '', 'JUMP_TOKEN_SECRET not set\n'],
    [
      'jump',
      'JUMP_TOKEN_ROLE',
      'king',
      'JUMP_TOKEN_ROLE is not one of host, client, stats, read, write, readwrite\n',
    ],
  ] as const)('%s token with %s=%j prints one line, exit 1', async (program, name, value, stdout) => {
    const environment = { ...environments[program], [name]: value }

    expect(await Child.run({ program, arguments: ['token'], environment })).toEqual({
      code: 1,
      stdout,
      stderr: '',
    })
  })

  test.each([
    [['--secret', 's'], /secret/],
    [['--role', 'king'], /--role: "king" is not one of host, client/],
    [['--lifetime', '-5'], /--lifetime: "-5"/],
  ])('%j is a wrong argument', async (words, says) => {
    const ended = await Child.run({ arguments: ['token', ...words], environment: environments.shell })

    expect([ended.code, ended.stdout]).toEqual([64, ''])
    expect(ended.stderr).toMatch(says)
  })
})

describe('deny and allow', () => {
  let running: RunningShellRelay
  beforeAll(async () => {
    running = await RunningShellRelay.start()
  })
  afterAll(async () => {
    await running[Symbol.asyncDispose]()
  })

  test('end a booking, and let it in again', async () => {
    const environment = {
      SHELL_ADMIN_ACCESS: running.access,
      SHELLRELAY_AUDIENCE: audience,
      SHELLRELAY_SECRET: secret,
    }
    const claims = { booking_id: 'bk', scopes: ['client'] }
    const client = await WebsocketPeer.open(await running.address('a', claims), { isOurs: true })

    const denied = await Child.run({ arguments: ['deny', 'bk', '--exp', '1h'], environment })

    expect(denied).toMatchObject({ code: 0, stderr: '' })
    expect(await client.closed).toMatchObject({ code: 4002 })
    expect((await running.post('a', mint(claimsFor('a', claims)))).status).toBe(401)
    const allowed = await Child.run({ arguments: ['allow', 'bk', '--exp', '1h'], environment })
    expect(allowed.stdout).toMatch(/^booking bk is allowed until /)
    expect((await running.post('a', mint(claimsFor('a', claims)))).status).toBe(200)
  })
})

test.each(['shell', 'jump'] as const)('%s prints its version', async (program) => {
  expect(await Child.run({ program, arguments: ['version'] })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
  })
})
