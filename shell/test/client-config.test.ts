import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { ClientProcess, fakeToken } from './support/client-process.ts'

const patient = { timeout: 90_000 }
/** Of the right form; the bytes count up and down. */
const keyA = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g'
const keyB = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAfHh0cGxoZGBcWFRQTEhEQDw4NDAsKCQgHBgUEAwIB'

let folder = ''
let relay: Server
let access = ''
let answers: Map<string, object>
let clients: ClientProcess[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shell-config-'))
  answers = new Map()
  clients = []
  relay = createServer((request, response) => {
    const answer = answers.get(request.url ?? '')
    const isKnown = (request.headers.authorization ?? '').startsWith('eyJ')
    response
      .writeHead(!isKnown ? 401 : answer === undefined ? 404 : 200)
      .end(JSON.stringify(answer ?? { code: 404, message: 'none' }))
  })
  await new Promise<void>((resolve) => {
    relay.listen(0, '127.0.0.1', resolve)
  })
  access = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const client of clients) await client[Symbol.asyncDispose]()
  relay.closeAllConnections()
  await new Promise((resolve) => relay.close(resolve))
  await rm(folder, { recursive: true })
})

async function putToken(id: string, prefix = 'shell', scopes = ['client']): Promise<void> {
  const claims = { topic: id, prefix, scopes, aud: [access], exp: 4_102_444_800 }
  await writeFile(join(folder, `${id}.token`), `${fakeToken(claims)}\n`)
}

function shell(...args: readonly string[]): ClientProcess {
  const client = new ClientProcess(args).collect()
  clients.push(client)
  return client
}

const config = (...more: readonly string[]): ClientProcess => shell('config', '--tokens', folder, ...more)

test('each token gives an entry that ssh understands', patient, async () => {
  await putToken('pend00')
  await putToken('spin-1', 'connect')
  const client = config('--user', 'pi')
  expect(await client.exit).toBe(0)
  const path = join(folder, 'ssh_config')
  await writeFile(path, client.stdoutText)
  const seen = execFileSync('ssh', ['-G', '-F', path, 'spin-1'], { encoding: 'utf8' })

  expect(client.stderr).toBe('')
  expect(seen).toMatch(/^user pi$/m)
  expect(seen).toMatch(/^hostkeyalias spin-1$/m)
  expect(seen).toMatch(/^serveraliveinterval 30$/m)
  expect(seen).toContain(`proxycommand shell connect --tokens ${folder} spin-1\n`)
})

test('a token that is of no use is told, and the others are printed', patient, async () => {
  await putToken('pend00')
  await putToken('pend01', 'shell', ['host'])
  const client = config()

  expect(await client.exit).toBe(1)
  expect(client.stdoutText).toContain('Host pend00\n')
  expect(client.stdoutText).not.toContain('pend01')
  expect(client.stderr).toMatch(/^shell config: pend01: the token has the scope "host" and not "client"/)
})

test('host keys are written, and it is said that they come by way of the relay', patient, async () => {
  await putToken('pend00')
  answers.set('/shell/pend00/host-keys', { keys: [keyA, 'nonsense'], since: '2026-11-22T10:00:00Z' })
  const client = config('--write', join(folder, 'ssh'))

  expect(await client.exit).toBe(0)
  expect(client.stderr).toMatch(/pend00: host keys taken from the relay, UNCHECKED/)
  expect(client.stderr).toContain(`Include ${join(folder, 'ssh', 'config')}`)
  expect(await readFile(join(folder, 'ssh', 'known_hosts'), 'utf8')).toBe(`pend00 ${keyA}\n`)
  expect(await readFile(join(folder, 'ssh', 'config'), 'utf8')).toContain(
    `UserKnownHostsFile ${join(folder, 'ssh', 'known_hosts')}\n`,
  )
  expect((await readdir(join(folder, 'ssh'))).sort()).toEqual(['config', 'known_hosts'])
  expect((await stat(join(folder, 'ssh', 'config'))).mode & 0o777).toBe(0o600)
})

test('a config of somebody else is never replaced, nor ours by nothing', patient, async () => {
  await putToken('pend00')
  const path = join(folder, 'ssh', 'config')
  expect(await config('--write', join(folder, 'ssh')).exit).toBe(0)
  const ours = await readFile(path, 'utf8')
  const empty = shell('config', '--tokens', join(folder, 'none'), '--write', join(folder, 'ssh'))
  expect(await empty.exit).toBe(1)
  expect(await readFile(path, 'utf8')).toBe(ours)

  await writeFile(path, 'Host mine\n')
  const client = config('--write', join(folder, 'ssh'))
  expect(await client.exit).toBe(78)
  expect(client.stderr).toContain(`${path} was not written by "shell config" and stays as it is`)
  expect(await readFile(path, 'utf8')).toBe('Host mine\n')
})

test('names that ssh-keygen has hashed are known again', patient, async () => {
  await putToken('pend00')
  const directory = join(folder, 'ssh')
  const knownHosts = join(directory, 'known_hosts')
  answers.set('/shell/pend00/host-keys', { keys: [keyA] })
  expect(await config('--write', directory).exit).toBe(0)
  execFileSync('ssh-keygen', ['-H', '-f', knownHosts], { stdio: 'ignore' })
  const hashed = await readFile(knownHosts, 'utf8')
  expect(hashed).toMatch(/^\|1\|/)
  answers.set('/shell/pend00/host-keys', { keys: [keyB] })
  const careful = config('--write', directory)

  expect(await careful.exit).toBe(1)
  expect(careful.stderr).toMatch(/pend00: its host key has CHANGED/)
  expect(await readFile(knownHosts, 'utf8')).toBe(hashed)
  expect(await config('--write', directory, '--replace-keys').exit).toBe(0)
  const found = execFileSync('ssh-keygen', ['-F', 'pend00', '-f', knownHosts], { encoding: 'utf8' })
  expect(found.split('\n').filter((line) => !line.startsWith('#') && line !== '')).toEqual([`pend00 ${keyB}`])
  expect(
    execFileSync('ssh', ['-G', '-F', join(directory, 'config'), 'pend00'], { encoding: 'utf8' }),
  ).toMatch(/^hashknownhosts no$/m)
})

test('a changed key is kept as it was and told, unless it shall be replaced', patient, async () => {
  await putToken('pend00')
  answers.set('/shell/pend00/host-keys', { keys: [keyA] })
  expect(await config('--write', join(folder, 'ssh')).exit).toBe(0)
  answers.set('/shell/pend00/host-keys', { keys: [keyB] })
  const careful = config('--write', join(folder, 'ssh'))

  expect(await careful.exit).toBe(1)
  expect(careful.stderr).toMatch(/pend00: its host key has CHANGED; the one before was kept/)
  expect(await readFile(join(folder, 'ssh', 'known_hosts'), 'utf8')).toBe(`pend00 ${keyA}\n`)
  const ordered = config('--write', join(folder, 'ssh'), '--replace-keys')
  expect(await ordered.exit).toBe(0)
  expect(ordered.stderr).toMatch(/CHANGED and was replaced/)
  expect(await readFile(join(folder, 'ssh', 'known_hosts'), 'utf8')).toBe(`pend00 ${keyB}\n`)
})

type Sign = (id: string, keys: readonly string[], iat?: number) => Promise<string>

/** A device of `pend00`, whose public key lies in the folder. */
async function makeDevice(): Promise<Sign> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
  const policy = { topics: ['pend00'], scopes: ['host'], maxLifetimeSec: 3600 }
  await writeFile(
    join(folder, 'dev.jwk'),
    JSON.stringify({ ...(await exportJWK(publicKey)), kid: 'dev', policy }),
  )
  return async (id, keys, iat = 1_700_000_000) =>
    await new CompactSign(new TextEncoder().encode(JSON.stringify({ id, keys, iat })))
      .setProtectedHeader({ alg: 'EdDSA', kid: 'dev' })
      .sign(privateKey)
}

test('with device keys only what a device of that experiment signed is taken', patient, async () => {
  const sign = await makeDevice()
  for (const id of ['pend00', 'pend01', 'pend02', 'pend03']) await putToken(id)
  answers.set('/shell/pend00/host-keys', { keys: [keyA], signed: await sign('pend00', [keyA]) })
  answers.set('/shell/pend01/host-keys', { keys: [keyA], signed: await sign('pend01', [keyA]) })
  answers.set('/shell/pend02/host-keys', { keys: [keyA] })
  answers.set('/shell/pend03/host-keys', { keys: [keyB], signed: await sign('pend00', [keyB]) })
  const client = config('--write', join(folder, 'ssh'), '--device-keys', folder)

  expect(await client.exit).toBe(1)
  expect(await readFile(join(folder, 'ssh', 'known_hosts'), 'utf8')).toBe(
    `pend00 ${keyA} signed=2023-11-14T22:13:20Z\n`,
  )
  expect(client.stderr).toMatch(/pend00: host keys checked: signed by the device dev at 2023-11-14T22:13:20Z/)
  expect(client.stderr).toMatch(/pend01: no host keys: .*whose policy does not allow this experiment/)
  expect(client.stderr).toMatch(/pend02: no host keys: the host has not signed them/)
  expect(client.stderr).toMatch(/pend03: no host keys: .*does not allow/)
})

test('an older signature takes nothing back, and one that is to come is not taken', patient, async () => {
  const sign = await makeDevice()
  await putToken('pend00')
  const known = join(folder, 'ssh', 'known_hosts')
  const fetch = async (
    keys: readonly string[],
    iat: number | undefined,
    ...more: readonly string[]
  ): Promise<readonly [number | string, string]> => {
    answers.set('/shell/pend00/host-keys', { keys, signed: await sign('pend00', keys, iat) })
    const client = config('--write', join(folder, 'ssh'), '--device-keys', folder, ...more)
    return [await client.exit, client.stderr]
  }
  expect(await fetch([keyB], 1_700_000_100)).toMatchObject([0, expect.stringContaining('checked')])

  const [exit, said] = await fetch([keyA], 1_700_000_000)
  expect(exit).toBe(1)
  expect(said).toMatch(
    /pend00: its host keys were signed at 2023-11-14T22:13:20Z and those that are known later, at 2023-11-14T22:15:00Z: .*--replace-keys/,
  )
  const toCome = Math.floor(Date.now() / 1000) + 86_400
  expect(await fetch([keyA], toCome)).toMatchObject([
    1,
    expect.stringMatching(/still to come; set the clock/),
  ])
  expect(await readFile(known, 'utf8')).toBe(`pend00 ${keyB} signed=2023-11-14T22:15:00Z\n`)
  expect(await fetch([keyA], 1_700_000_000, '--replace-keys')).toMatchObject([0, expect.anything()])
  expect(await readFile(known, 'utf8')).toBe(`pend00 ${keyA} signed=2023-11-14T22:13:20Z\n`)
})

test('the status of an old relay is a table, and one of reports as they came', patient, async () => {
  await putToken('stats', 'shell', ['stats'])
  const report = JSON.stringify([
    { topic: 'stats', remoteAddr: 'internal', userAgent: 'shellbar', connected: 'x' },
    {
      topic: 'pend00',
      connected: '2022-03-01 10:11:12.123456789 +0000 UTC m=+12.345',
      remoteAddr: '192.0.2.7',
      userAgent: 'Go-http-client/1.1',
    },
    {
      topic: 'pend00/0b0e5a34-0000-4000-8000-000000000001deadbeef',
      connected_at: '2024-01-01T00:00:00Z',
      user_agent: '\u001b[31m',
    },
  ])
  const websockets = new WebSocketServer({ server: relay })
  websockets.on('connection', (link) => {
    link.on('message', () => {
      link.send('{"cmd":"update"}')
      link.send(report)
    })
  })
  answers.set('/shell/stats', { uri: `${access.replace('http', 'ws')}/shell/stats?code=c` })
  const table = shell('status', '--tokens', folder)
  expect(await table.exit).toBe(0)
  expect(table.stdoutText.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['EXPERIMENT', 'SESSION', 'WHO', 'SINCE', 'FROM', 'PROGRAM', 'SENT', 'RECEIVED', 'STATE'],
    ['pend00', '-', 'host', '2022-03-01T10:11:12Z', '192.0.2.7', 'Go-http-client/1.1', '-', '-', '-'],
    ['pend00', '0b0e5a34', 'session', '2024-01-01T00:00:00Z', '-', '?[31m', '-', '-', '-'],
    [''],
  ])
  const json = shell('status', '--tokens', folder, '--json')
  expect(await json.exit).toBe(0)
  expect(json.stdoutText).toBe(`${report}\n`)
  websockets.close()
})
