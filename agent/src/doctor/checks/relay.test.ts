import { expect, test } from 'vitest'
import type { RelayAnswer } from '../probe-relay.ts'
import { judgeRelay } from './relay.ts'

const nowMs = Date.UTC(2027, 4, 1)
const access = 'https://app.example.org/ed0/access'
const good: Extract<RelayAnswer, { kind: 'answered' }> = {
  kind: 'answered',
  status: 405,
  body: '{"code":405,"message":"method GET is not allowed, but [POST] are"}',
  dateMs: nowMs,
  askedAtMs: nowMs + 400,
  certificate: { fault: undefined, expiresAtMs: nowMs + 60 * 86_400_000, issuer: "Let's Encrypt" },
}
const judge = (answer: Partial<typeof good>): readonly string[] =>
  judgeRelay({ access, answer: { ...good, ...answer } }, nowMs).map(({ level, what }) => `${level}: ${what}`)

test('a relay that is there, with a good certificate and the same time, is all right', () => {
  expect(judge({})).toEqual([
    "ok: app.example.org has a valid certificate by Let's Encrypt for 60 days",
    'ok: the access API of app.example.org answers',
    'ok: clock here and at app.example.org agree',
  ])
})

test.each([
  [
    { certificate: { fault: 'CERT_HAS_EXPIRED', expiresAtMs: nowMs - 1, issuer: '' } },
    'problem',
    /has expired/,
  ],
  [
    { certificate: { fault: 'ERR_TLS_CERT_ALTNAME_INVALID', expiresAtMs: nowMs, issuer: '' } },
    'problem',
    /another name/,
  ],
  [{ certificate: { fault: 'SOMETHING_NEW', expiresAtMs: nowMs, issuer: '' } }, 'problem', /SOMETHING_NEW/],
  [
    { certificate: { fault: undefined, expiresAtMs: nowMs + 3 * 86_400_000, issuer: '' } },
    'warning',
    /in 3 days/,
  ],
  [
    { status: 404, body: '{"code":404,"message":"path /session/doctor was not found"}' },
    'problem',
    /not at this path/,
  ],
  [{ status: 502, body: '' }, 'problem', /relay behind it is not there/],
  [{ status: 200, body: '<html>log in to the Wi-Fi</html>' }, 'problem', /not as the access API/],
  [{ status: 301, body: '' }, 'warning', /sends on/],
  [{ askedAtMs: nowMs - 11_500 }, 'warning', /12 s behind/],
  [{ askedAtMs: nowMs + 3_600_500 }, 'problem', /3600 s ahead/],
] as const)('%j is a %s', (answer, level, what) => {
  const found = judge(answer).filter((line) => line.startsWith(level))
  expect(found).toEqual([expect.stringMatching(what)])
})

test.each([
  ['ECONNREFUSED', /nothing listens/],
  ['ENETUNREACH', /no way/],
  ['TIMEOUT', /does not answer/],
  ['CERT_HAS_EXPIRED', /has expired/],
  ['PROXY_FAILED', /the proxy/],
  ['EWHATEVER', /EWHATEVER/],
])('a failure with %s is one problem with advice', (fault, what) => {
  const verdicts = judgeRelay({ access, answer: { kind: 'failed', fault, why: 'the proxy said no' } }, nowMs)
  expect(verdicts).toEqual([
    { level: 'problem', what: expect.stringMatching(what) as string, advice: expect.any(String) as string },
  ])
})

test('an address without TLS is a warning, but not on the machine itself', () => {
  const answer = { ...good, certificate: undefined }
  const levels = (address: string): readonly string[] =>
    judgeRelay({ access: address, answer }, nowMs).map(({ level }) => level)
  expect(levels('http://relay.example.org:8082')).toContain('warning')
  expect(levels('http://127.0.0.1:8082')).not.toContain('warning')
})
