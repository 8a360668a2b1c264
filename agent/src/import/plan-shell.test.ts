import { expect, test } from 'vitest'
import { planImport } from './plan-import.ts'
import type { LooseText, OldDevice } from './read-old-device.ts'

const token = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify({ topic: 'pend00', prefix: 'shell', scopes: ['host'], aud: 'https://r.example.org', exp: 2_000_000_000, ...claims })).toString('base64url')}.sig`
const host = token({})
const empty: OldDevice = { parts: [], loose: [], units: [], read: [], notUnderstood: [] }
const plan = (device: Partial<OldDevice>): ReturnType<typeof planImport> =>
  planImport({ ...empty, ...device }, { nowMs: 1_700_000_000_000, stableName: () => undefined })
const loose = (kind: LooseText['kind'], text: string, stem = 'shell'): LooseText => ({
  kind,
  stem,
  text,
  place: `/etc/practable/${stem}.${kind}`,
})
const running = {
  kind: 'shell-host',
  place: 'shell.service line 3',
  session: 'https://r.example.org/shell/pend00',
  token: host,
  port: 2222,
} as const

test('a unit with a shell host becomes a section, and its token a file', () => {
  const { config, tokens, taken } = plan({ parts: [running] })

  expect(config.shell).toEqual({ session: running.session, tokenFile: 'tokens/shell.token', port: 2222 })
  expect(tokens).toEqual(new Map([['tokens/shell.token', host]]))
  expect(taken).toEqual([{ place: running.place, what: 'the shell host of pend00 is part of the agent' }])
})

test.each([
  ['shell', [loose('token', host)], 'https://r.example.org/shell/pend00'],
  ['connect', [loose('token', token({ prefix: 'connect' }))], 'https://r.example.org/api/v1/connect/pend00'],
  [
    'shell, with an address of its own',
    [loose('token', host), loose('access', 'https://other.example.org/x/shell/pend00')],
    'https://other.example.org/x/shell/pend00',
  ],
])('files of a token for %s become one too', (_kind, files, session) => {
  const { config, notTaken } = plan({ loose: files })

  expect(config.shell?.session).toBe(session)
  expect(config.topics).toEqual([])
  expect(notTaken).toEqual([])
})

test('the same token in a unit and in a file is one shell host', () => {
  const { config, notTaken } = plan({ parts: [running], loose: [loose('token', host)] })

  expect(config.shell?.port).toBe(2222)
  expect(notTaken).toEqual([])
})

test.each([
  ['a second one', { parts: [running, { ...running, token: token({ topic: 'pend01' }) }] }, /already/],
  ['a token of a client', { loose: [loose('token', token({ scopes: ['client'] }))] }, /not that of a host/],
  ['another address', { parts: [{ ...running, session: 'https://r.example.org/x' }] }, /its path/],
])('is left out and told: %s', (_name, device, why) => {
  const { notTaken } = plan(device)

  expect(notTaken.map(({ what }) => what)).toEqual([expect.stringMatching(why)])
})

test('a token that has expired is told', () => {
  const { advice } = plan({ parts: [{ ...running, token: token({ exp: 1_600_000_000 }) }] })

  expect(advice).toEqual([expect.stringMatching(/the token of the shell host has expired/)])
})
