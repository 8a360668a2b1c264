import { parseClaims } from '@relay/common/token/claims'
import { expect, test } from 'vitest'
import { judgeToken, type TokenFacts } from './tokens.ts'

const nowMs = Date.UTC(2027, 4, 1)
const nowSec = nowMs / 1000
const access = 'https://app.example.org/ed0/access'
const rightClaims = {
  topic: 'pend00-data',
  prefix: 'session',
  scopes: ['read', 'write'],
  aud: access,
  iat: nowSec - 1,
  nbf: nowSec - 1,
  exp: nowSec + 90 * 86_400,
}
const right: TokenFacts = {
  use: { topic: 'pend00-data', tokenFile: '/etc/relay-agent/data.token', access, needs: ['read', 'write'] },
  user: { name: 'relay-agent', uid: 990, gids: new Set([990]), isStandIn: false },
  file: { kind: 'file', mode: 0o600, uid: 990, gid: 990, sizeBytes: 300 },
  closedDirectory: undefined,
  hiddenBy: undefined,
  isCredential: false,
  content: { kind: 'claims', claims: parseClaims(rightClaims) },
  exchange: { kind: 'accepted' },
}
const judge = (facts: Partial<TokenFacts>): readonly string[] =>
  judgeToken({ ...right, ...facts }, nowMs).map(({ level, what }) => `${level}: ${what}`)
const judgeClaims = (claims: object): readonly string[] =>
  judge({ content: { kind: 'claims', claims: parseClaims({ ...rightClaims, ...claims }) } })

test('a token that is right in everything says for how long', () => {
  expect(judge({})).toEqual([
    'ok: /etc/relay-agent/data.token (pend00-data) is valid until 2027-07-30 00:00, for 90 days',
    'ok: the relay takes /etc/relay-agent/data.token (pend00-data)',
  ])
})

test.each([
  [{ topic: 'pend01-data' }, 'problem', /for the topic "pend01-data"/],
  [{ prefix: 'shell' }, 'problem', /kind "shell"/],
  [{ scopes: ['read'] }, 'problem', /may not write/],
  [{ scopes: ['write'] }, 'problem', /may not read: commands/],
  [{ aud: 'https://other.example.org' }, 'warning', /is for "https:\/\/other/],
  [{ exp: nowSec - 60 }, 'problem', /has expired on 2027-04-30/],
  [{ exp: nowSec + 3 * 86_400 }, 'warning', /in 3 days/],
  [{ exp: undefined }, 'warning', /has no end/],
  [{ exp: nowMs }, 'warning', /milliseconds/],
  [{ nbf: nowSec + 3_600 }, 'problem', /not valid before 2027-05-01 01:00/],
  [{ iat: nowSec + 3_600 }, 'problem', /not valid before/],
])('claims %j are a %s', (claims, level, what) => {
  const found = judgeClaims(claims).filter((line) => line.startsWith(level))
  expect(found).toEqual([expect.stringMatching(what)])
})

test.each<[string, Partial<TokenFacts>, string, RegExp]>([
  ['is missing', { file: undefined }, 'problem', /is not there/],
  ['belongs to root alone', { file: { ...right.file!, uid: 0, gid: 0 } }, 'problem', /may not read/],
  ['is in a closed directory', { closedDirectory: '/root' }, 'problem', /may not enter \/root/],
  ['is hidden by the unit', { hiddenBy: 'ProtectHome' }, 'problem', /does not see .*\(ProtectHome\)/],
  ['is open to all', { file: { ...right.file!, mode: 0o644 } }, 'warning', /everybody/],
  [
    'holds two lines',
    { content: { kind: 'wrong', why: 'not one token on one line' } },
    'problem',
    /one line/,
  ],
  ['cannot be looked into', { content: { kind: 'unreadable' } }, 'unknown', /cannot be read by you/],
  [
    'is refused by the relay',
    { exchange: { kind: 'refused', why: 'the access server refused the token (401)' } },
    'problem',
    /refused the token/,
  ],
])('a token that %s is told', (_name, facts, level, what) => {
  const found = judge(facts).filter((line) => line.startsWith(level))
  expect(found).toEqual([expect.stringMatching(what)])
})

test('a token that systemd hands over may belong to root', () => {
  expect(judge({ isCredential: true, file: { ...right.file!, uid: 0, gid: 0 } })).toEqual(judge({}))
})
