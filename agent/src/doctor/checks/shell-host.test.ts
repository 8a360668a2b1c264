import { loadConfig } from '@relay/common/config/load-config'
import { expect, test } from 'vitest'
import { agentConfigSpec } from '../../config.ts'
import { judgeShellHost, type ShellHostFacts } from './shell-host.ts'

const { shell: standard } = loadConfig(agentConfigSpec, {})
const right: ShellHostFacts = {
  config: { ...standard, session: 'https://app.example.org/shell-access/shell/pend00', tokenFile: '/t' },
  relay: {
    kind: 'answered',
    status: 405,
    body: '{"code":405,"message":"method GET is not allowed, but [POST] are"}',
    dateMs: undefined,
    askedAtMs: 0,
    certificate: undefined,
  },
  sshd: { kind: 'spoke', firstLine: 'SSH-2.0-OpenSSH_9.2p1' },
  keyFiles: [{ path: '/etc/ssh/ssh_host_ed25519_key.pub', isKey: true }],
  deviceKeyFlaw: undefined,
  isDeviceKeyOpen: false,
}
const withDeviceKey = {
  ...right.config,
  hostKeys: { ...right.config.hostKeys, deviceKeyFile: '/etc/relay-agent/device.jwk' },
}
const judge = (facts: Partial<ShellHostFacts>): readonly string[] =>
  judgeShellHost({ ...right, ...facts }, 0).map(({ level, what }) => `${level}: ${what}`)

test('a shell host that is right in everything says what answers', () => {
  expect(judge({})).toEqual([
    'ok: the access API of app.example.org answers',
    'ok: sshd answers at localhost:22 (SSH-2.0-OpenSSH_9.2p1)',
    'ok: 1 keys of sshd are published',
  ])
})

test.each<[string, Partial<ShellHostFacts>, string, RegExp]>([
  [
    'sshd is not running',
    { sshd: { kind: 'failed', why: 'sshd at localhost:22 refuses' } },
    'problem',
    /refuses/,
  ],
  ['another program is there', { sshd: { kind: 'spoke', firstLine: 'HTTP/1.1 400' } }, 'problem', /no sshd/],
  ['sshd says nothing', { sshd: { kind: 'silent' } }, 'warning', /says nothing/],
  ['there are no keys', { keyFiles: [] }, 'warning', /no key of sshd/],
  ['a key is none', { keyFiles: [{ path: '/k.pub', isKey: false }] }, 'warning', /\/k\.pub is no public key/],
  [
    'the relay is away',
    { relay: { kind: 'failed', fault: 'ECONNREFUSED', why: '' } },
    'problem',
    /nothing listens/,
  ],
  [
    'the device key is wrong',
    { config: withDeviceKey, deviceKeyFlaw: 'it has no "kid"' },
    'problem',
    /unsigned/,
  ],
  [
    'all may read the device key',
    { config: withDeviceKey, deviceKeyFlaw: '', isDeviceKeyOpen: true },
    'warning',
    /everybody/,
  ],
])('it is told that %s', (_name, facts, level, what) => {
  expect(judge(facts).filter((line) => line.startsWith(level))).toEqual(
    expect.arrayContaining([expect.stringMatching(what)]),
  )
})

test('advice about the relay names the setting of the shell host', () => {
  const [verdict] = judgeShellHost({ ...right, relay: { kind: 'failed', fault: 'ECONNREFUSED', why: '' } }, 0)
  expect(verdict?.advice).toContain('shell.session')
  expect(verdict?.advice).not.toContain('relay.access')
})
