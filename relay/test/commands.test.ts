import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyToken } from '@relay/common/token/verify-token'
import { secretsKeyRing } from '@relay/common/token/key-ring'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Child } from './support/child.ts'
import { expectSoon } from '../../common/test/support/expect-soon.ts'
import { RunningRelay } from './support/running-relay.ts'
import { audience, claimsFor, mint, secret } from './support/tokens.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-commands-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

let running: RunningRelay
beforeAll(async () => {
  running = await RunningRelay.start()
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

describe('token', () => {
  test('prints a token that the relay takes, and nothing else', async () => {
    const { code, stdout, stderr } = await Child.run({
      arguments: ['token', '--topic', 'spin30-data', '--scope', 'relay:stats', '--lifetime', '60'],
      environment: { RELAY_TOKEN_SECRET: secret, RELAY_TOKEN_AUDIENCE: audience },
    })

    expect([code, stderr]).toEqual([0, ''])
    const claims = await verifyToken(stdout.trim(), {
      keys: secretsKeyRing(secret),
      nowMs: Date.now(),
      audience,
    })
    expect(claims).toMatchObject({
      topic: 'spin30-data',
      scopes: ['write', 'read', 'relay:stats'],
      bookingId: 'relay-token-cli',
    })
    expect((await running.post('spin30-data', stdout.trim())).status).toBe(200)
  })

  test('takes the secret from a file too', async () => {
    const file = join(folder, 'secret')
    await writeFile(file, `${secret}\n`)

    const { stdout } = await Child.run({
      program: 'session',
      arguments: ['token', '--secret-file', file],
      environment: { ACCESSTOKEN_LIFETIME: '60', ACCESSTOKEN_TOPIC: 't', ACCESSTOKEN_AUDIENCE: audience },
    })

    expect((await running.post('t', stdout.trim())).status).toBe(200)
  })

  test('never takes a secret as an argument', async () => {
    const { code } = await Child.run({ arguments: ['token', '--secret', 's'] })

    expect(code).toBe(64)
  })

  test('says what is missing, as the old commands do', async () => {
    expect(await Child.run({ program: 'session', arguments: ['token'] })).toEqual({
      code: 1,
      stdout: 'ACCESSTOKEN_LIFETIME not set\n',
      stderr: '',
    })
    expect(await Child.run({ arguments: ['token'] })).toMatchObject({
      code: 1,
      stdout:
        'RELAY_TOKEN_LIFETIME not set\nRELAY_TOKEN_SECRET not set\nRELAY_TOKEN_TOPIC not set\nRELAY_TOKEN_AUDIENCE not set\n',
    })
  })
})

describe('deny, allow and status', () => {
  const asAdmin = () => ({
    RELAY_ADMIN_ACCESS: running.access,
    RELAY_AUDIENCE: audience,
    RELAY_SECRET: secret,
  })

  test('deny ends a booking, allow lets it in again, status lists who is there', async () => {
    const viewer = await running.join('cmd-data', { booking_id: 'bk-cmd' })
    const before = await Child.run({ arguments: ['status'], environment: asAdmin() })
    expect(before).toMatchObject({ code: 0, stderr: '' })
    expect(before.stdout).toMatch(/^TOPIC +MAY +SINCE +UNTIL +FROM +PROGRAM\n[\s\S]*^cmd-data +rw +\d{4}/m)

    const denied = await Child.run({ arguments: ['deny', 'bk-cmd', '--exp', '1h'], environment: asAdmin() })

    expect(denied).toMatchObject({ code: 0, stderr: '' })
    expect(denied.stdout).toMatch(/^booking bk-cmd is denied until \d{4}-.*Z\n$/)
    expect(await viewer.end()).toMatchObject({ code: 1008 })
    const after = await Child.run({ arguments: ['status', '--json'], environment: asAdmin() })
    expect((JSON.parse(after.stdout) as { topic: string }[]).map(({ topic }) => topic)).toEqual(['stats'])
    const allowed = await Child.run({ arguments: ['allow', 'bk-cmd', '--exp', '1h'], environment: asAdmin() })
    expect(allowed).toMatchObject({ code: 0 })
    expect(
      (await running.post('cmd-data', mint(claimsFor('cmd-data', { booking_id: 'bk-cmd' })))).status,
    ).toBe(200)
  })

  test('say what the relay refused', async () => {
    const ended = await Child.run({
      arguments: ['deny', 'x', '--exp', '5'],
      environment: asAdmin(),
    })

    expect(ended).toEqual({
      code: 1,
      stdout: '',
      stderr: 'relay: the relay answered 400: booking expiry time (exp) of [5] missing or in the past\n',
    })
  })

  test.each([
    [{ RELAY_SECRET: '' }, 78, /nothing to prove who asks/],
    [{ RELAY_SECRET: 'another-secret' }, 1, /the relay answered 401: token invalid/],
    [
      { RELAY_ADMIN_ACCESS: 'http://127.0.0.1:1' },
      69,
      /the relay at http:\/\/127\.0\.0\.1:1 cannot be reached/,
    ],
    [
      { RELAY_ADMIN_ACCESS: 'relay.example.org' },
      78,
      /RELAY_ADMIN_ACCESS: "relay.example.org" is not an address/,
    ],
  ])('with %j: exit %i and one sentence', async (more, code, sentence) => {
    const ended = await Child.run({ arguments: ['status'], environment: { ...asAdmin(), ...more } })

    expect(ended.code).toBe(code)
    expect(ended.stderr).toMatch(sentence)
  })

  test('an end that is none is a wrong argument', async () => {
    const ended = await Child.run({ arguments: ['deny', 'x', '--exp', 'soon'], environment: asAdmin() })

    expect(ended.code).toBe(64)
    expect(ended.stderr).toContain('"soon" is no end of a booking')
  })
})

describe('the options of token', () => {
  const environment = { RELAY_TOKEN_SECRET: secret, RELAY_TOKEN_AUDIENCE: audience }
  const run = async (...words: readonly string[]) =>
    await Child.run({ arguments: ['token', '--topic', 't', ...words], environment })

  test('take durations and plain words', async () => {
    const { code, stdout } = await run('--lifetime', '365d', '--read', 'yes', '--write', 'no')

    expect(code).toBe(0)
    const payload = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString()) as {
      exp: number
      iat: number
      scopes: string[]
    }
    expect(payload.exp - payload.iat).toBe(365 * 86_400)
    expect(payload.scopes).toEqual(['read'])
  })

  test.each([
    [['--lifetime', '-5'], /--lifetime: "-5"/],
    [['--lifetime', '0'], /--lifetime: "0"/],
    [['--lifetime', 'soon'], /--lifetime: "soon" is not .*seconds.*365d/],
    [['--lifetime', '60', '--read', 'maybe'], /--read: "maybe" is not true or false/],
  ])('%j is refused with one sentence and 64', async (words, says) => {
    const { code, stdout, stderr } = await run(...words)

    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toMatch(says)
  })

  test('read the secret file as the relay does: blanks at its end are no part of it', async () => {
    const file = join(folder, 'secret')
    await writeFile(file, `${secret}  \n`)
    const { code, stdout } = await Child.run({
      arguments: ['token', '--topic', 't', '--lifetime', '60', '--secret-file', file],
      environment: { RELAY_TOKEN_AUDIENCE: audience },
    })
    expect(code).toBe(0)
    await using other = await RunningRelay.start({ settings: { SECRET: '', SECRET_FILES: file } })

    expect((await other.post('t', stdout.trim())).status).toBe(200)
    expect((await running.post('t', stdout.trim())).status).toBe(200)
  })
})

describe('cat', () => {
  const client = (topic: string, more: Readonly<Record<string, string>> = {}) => ({
    RELAY_CLIENT_SESSION: `${running.access}/session/${topic}`,
    RELAY_CLIENT_TOKEN: mint(claimsFor(topic)),
    ...more,
  })

  /** `relay cat` dials the address that the relay gives out; this relay must give its real one. */
  async function startReachable(): Promise<void> {
    await running[Symbol.asyncDispose]()
    const probe = await RunningRelay.start()
    const { relay } = probe.ports
    await probe[Symbol.asyncDispose]()
    running = await RunningRelay.start({
      settings: { URL: `ws://127.0.0.1:${relay}`, PORT_RELAY: String(relay) },
    })
  }
  beforeAll(startReachable)

  test('writes what is said, with the time; binary as base64', async () => {
    await using cat = new Child({ arguments: ['cat'], environment: client('c1') })
    await expectSoon(() => running.relay.exchange.connections.size).toBe(1)
    const speaker = await running.join('c1')
    speaker.send('hello')
    speaker.send(Buffer.from([0, 1, 2]))

    await cat.prints(/AAEC\n/)

    expect(cat.stdout).toMatch(/^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] hello\n\[\d{4}-.*Z\] AAEC\n$/)
    cat.process.kill('SIGTERM')
    expect((await cat.ended).code).toBe(0)
    speaker.terminate()
  })

  test.each(['/dev/full', '/nonexistent/file'])(
    'says that %s cannot be written, and ends with 69',
    async (file) => {
      const speaker = await running.join('c7', { scopes: ['write'] })
      await using cat = new Child({ arguments: ['cat', '--file', file], environment: client('c7') })
      const sending = setInterval(() => speaker.send('hello'), 50)

      const { code, stderr } = await cat.ended
      clearInterval(sending)
      speaker.terminate()

      expect(code).toBe(69)
      expect(stderr).toContain(`the file ${file} cannot be written`)
      expect(stderr).not.toContain('again in')
    },
  )

  test.each([
    [[], /the address of the topic is missing: relay cat <address>/],
    [['nonsense'], /the address "nonsense" is not an address such as/],
  ])('wants an address of a topic: %j', async (words, says) => {
    const { code, stderr } = await Child.run({ arguments: ['cat', ...words] })

    expect(code).toBe(64)
    expect(stderr).toMatch(says)
    expect(stderr).not.toContain('--session')
  })

  test('sends its input line by line and ends when told so', async () => {
    const listener = await running.join('c2')

    const ended = await Child.run(
      { arguments: ['cat', '--until-sent'], environment: client('c2') },
      'one\ntwo\nlast',
    )
    await listener.hear(3)

    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(listener.heard.map(({ data, isBinary }) => [data.toString(), isBinary])).toEqual([
      ['one', false],
      ['two', false],
      ['last', false],
    ])
    listener.terminate()
  })

  test('plays a timed file', async () => {
    const file = join(folder, 'play')
    await writeFile(file, '# start\n{"cmd":"start"}\n[50ms] {"cmd":"stop"}\nbinary:AAEC\n')
    const listener = await running.join('c3')

    const ended = await Child.run({
      arguments: ['cat', '--play', file, '--until-sent'],
      environment: client('c3'),
    })
    await listener.hear(3)

    expect(ended.code).toBe(0)
    expect(listener.texts).toEqual(['{"cmd":"start"}', '{"cmd":"stop"}', '\u0000\u0001\u0002'])
    listener.terminate()
  })

  test('checks a timed file and names the lines that are wrong', async () => {
    const file = join(folder, 'play')
    await writeFile(file, 'fine\n[5 s] x\n{"a":\n')

    const ended = await Child.run({ arguments: ['cat', '--check', '--play', file] })

    expect(ended.code).toBe(1)
    expect(ended.stderr).toBe(
      `relay: ${file} line 2: "[5 s] x" is neither JSON nor a delay such as [0.5s]\nrelay: ${file} line 3: it begins like JSON and is none\n`,
    )
  })

  test('appends to a file, and opens it anew at SIGHUP', async () => {
    const file = join(folder, 'log')
    const environment = client('c4', { RELAY_CLIENT_FILE: file, RELAY_CLIENT_MODE: 'lines' })
    await using cat = new Child({ arguments: ['cat'], environment })
    await expectSoon(() => running.relay.exchange.hasReaders('c4')).toBe(true)
    const speaker = await running.join('c4')
    const content = async (path: string): Promise<string> => await readFile(path, 'utf8').catch(() => '')
    speaker.send('before')
    await expectSoon(() => content(file)).toBe('before\n')

    await rename(file, `${file}.1`)
    cat.process.kill('SIGHUP')
    await expectSoon(async () => {
      speaker.send('after')
      return await content(file)
    }).toMatch(/after\n/)

    expect(await content(`${file}.1`)).toMatch(/^before\n/)
    speaker.terminate()
  })

  test('comes back after the relay has closed it, and sends every line of its input once', async () => {
    const before = running.relay.exchange.totals.publishedMessages
    await using cat = new Child({ arguments: ['cat'], environment: client('c5') })
    await expectSoon(() => running.relay.exchange.hasReaders('c5')).toBe(true)
    cat.process.stdin?.write('before\n')
    await expectSoon(() => running.relay.exchange.totals.publishedMessages).toBe(before + 1)

    running.relay.exchange.closeWhere(({ topic }) => topic === 'c5', 'expired')
    await cat.prints(/again in/, 'stderr')
    cat.process.stdin?.write('while it is down\n')
    await expectSoon(() => running.relay.exchange.hasReaders('c5')).toBe(true)
    const listener = await running.join('c5')
    cat.process.stdin?.write('after\n')

    await listener.hear(1)

    expect(listener.texts.at(-1)).toBe('after')
    expect(running.relay.exchange.totals.publishedMessages - before).toBe(3)
    listener.terminate()
  })

  test.each([
    [{ RELAY_CLIENT_TOKEN: 'bad.token.x' }, 1, /the access server refused the token \(401\): token invalid/],
    [{ RELAY_CLIENT_TOKEN: '' }, 78, /there is no token/],
    [{ RELAY_CLIENT_SESSION: 'nonsense' }, 78, /RELAY_CLIENT_SESSION: "nonsense" is not an address/],
    [{ RELAY_CLIENT_MODE: 'loud' }, 78, /RELAY_CLIENT_MODE: "loud" is not one of text, lines, binary/],
  ])('with %j: exit %i and one sentence', async (more, code, sentence) => {
    const ended = await Child.run({ arguments: ['cat'], environment: client('c6', more) })

    expect(ended.code).toBe(code)
    expect(ended.stderr).toMatch(sentence)
    expect(ended.stderr).not.toContain('bad.token.x')
  })
})
