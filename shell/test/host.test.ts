import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeRelay } from '../../common/test/shell-host/fake-relay.ts'
import { bytesOf, FakeSshd } from '../../common/test/shell-host/fake-sshd.ts'
import type { Ended } from '../../common/test/support/program-child.ts'
import { Child } from './support/child.ts'

type Program = 'shell' | 'jump'

/** As a user starts it. */
function start(program: Program, environment: Readonly<Record<string, string>>, ...words: string[]): Child {
  return new Child({ program, arguments: ['host', ...words], environment })
}

async function run(...given: Parameters<typeof start>): Promise<Ended> {
  await using child = start(...given)
  return await child.ended
}

/** A busy machine starts a program in many seconds. */
const patience = { timeout: 120_000 }

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shell-host-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a host by the variables of the old programs', patience, () => {
  test.each([
    ['shell', '/shell/pend00', 'SHELLHOST_RELAYSESSION', 'SHELLHOST_TOKEN', 'SHELLHOST_LOCALPORT'],
    ['jump', '/api/v1/connect/pend00', 'JUMP_HOST_ACCESS', 'JUMP_HOST_TOKEN', 'JUMP_HOST_LOCAL_PORT'],
  ] as const)('%s host serves, and ends in order at SIGTERM', async (program, path, session, token, port) => {
    await using relay = await FakeRelay.start('old')
    await using sshd = await FakeSshd.start()
    await using host = start(program, {
      [session]: `http://127.0.0.1:${relay.port}${path}`,
      [token]: 'the.host.token',
      // As Go reads numbers.
      [port]: `0x${sshd.port.toString(16)}`,
    })
    const manager = await relay.wire()
    expect(relay.asked).toEqual([{ path, token: 'the.host.token' }])
    const { link } = await relay.client(manager)
    const tcp = await sshd.taken()
    tcp.write('SSH-2.0-mock\r\n')
    expect((await link.bytes(14)).toString()).toBe('SSH-2.0-mock\r\n')
    link.send('SSH-2.0-ssh\r\n')
    expect((await bytesOf(tcp, 13)).toString()).toBe('SSH-2.0-ssh\r\n')

    host.process.kill('SIGTERM')
    expect((await host.ended).code).toBe(0)
    expect(await manager.whenClosed()).toBe(1000)
    expect(host.stdout + host.stderr).not.toContain('the.host.token')
  })

  test.each([
    ['shell', {}, 'SHELLHOST_RELAYSESSION not set\n'],
    ['shell', { SHELLHOST_RELAYSESSION: 'http://x/shell/a' }, 'SHELLHOST_TOKEN not set\n'],
    ['jump', { JUMP_HOST_TOKEN: 'a.b.c' }, 'JUMP_HOST_ACCESS not set\n'],
  ] as const)('%s host with %j says which one is missing and ends with 1', async (program, given, said) => {
    expect(await run(program, given)).toMatchObject({ code: 1, stdout: said })
  })
})

describe('a host by our own settings', patience, () => {
  test('takes a file with settings, and the token from a file beside it, also when it changes', async () => {
    await using relay = await FakeRelay.start('ours')
    await using sshd = await FakeSshd.start()
    writeFileSync(join(folder, 'host.token'), 'first.host.token\n')
    const config = join(folder, 'host.yaml')
    writeFileSync(
      config,
      `session: ${relay.access}\ntokenFile: host.token\nsshd: { port: ${sshd.port} }\nhostKeys: { directory: "" }\n`,
    )
    await using host = start('shell', {}, '--config', config)
    await relay.wire()
    expect(relay.asked.at(-1)?.token).toBe('first.host.token')
    writeFileSync(join(folder, 'host.token'), 'second.host.token\n')
    await relay.wire()

    expect(relay.asked.at(-1)?.token).toBe('second.host.token')
    expect(host.stdout).toContain('the token changed')
  })

  test('publishes the keys of sshd to our relay', async () => {
    await using relay = await FakeRelay.start('ours')
    const key = `ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.alloc(36)]).toString('base64')}`
    writeFileSync(join(folder, 'ssh_host_ed25519_key.pub'), `${key} root@pend00\n`)
    await using _host = start(
      'shell',
      { SHELL_HOST_TOKEN: 'a.b.c' },
      '--session',
      relay.access,
      '--host-keys-directory',
      folder,
    )
    const manager = await relay.wire()

    expect(await manager.heard('host-keys')).toEqual({ type: 'host-keys', keys: [key] })
  })

  test.each([
    [
      { SHELL_HOST_SESSION: 'http://x/session/a', SHELL_HOST_TOKEN: 'a.b.c' },
      /session: its path does not end in/,
    ],
    [{ SHELL_HOST_SESSION: 'http://x/shell/a' }, /tokenFile: it is missing/],
    [
      { SHELL_HOST_TOKEN: 'a.b.c', SHELL_HOST_TOKEN_FILE: '/t', SHELL_HOST_SESSION: 'http://x/shell/a' },
      /one of the two/,
    ],
    [
      { SHELL_HOST_TOKEN: 'a.b.c', SHELL_HOST_SESSION: 'http://x/shell/a', SHELL_HOST_SSHD_PORT: 'ssh' },
      /SSHD_PORT: "ssh" is not a whole number/,
    ],
  ])('with %j it says what is wrong and ends with 78', async (given, what) => {
    const { code, stderr } = await run('shell', given)

    expect(stderr).toMatch(what)
    expect(code).toBe(78)
    expect(stderr).not.toContain('a.b.c')
  })

  test('a token is no argument, as others could see it', async () => {
    expect(await run('shell', {}, '--token', 'a.b.c')).toMatchObject({ code: 64 })
  })
})
