import { signToken } from '@relay/common/token/sign-token'
import { describe, expect, test } from 'vitest'
import { decideShellToken, jumpTokenVariables, shellTokenVariables } from './token-request.ts'

const common = { LIFETIME: '300', ROLE: 'host', SECRET: 's', TOPIC: 'pend00', AUDIENCE: 'https://a' }

function variables(prefix: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ...common, ...more }).map(([name, value]) => [`${prefix}_${name}`, value]),
  )
}

const nowMs = 1_700_000_000_500
const issued = { iat: 1_699_999_999, nbf: 1_699_999_999 }

describe('a token of either generation', () => {
  test.each([
    [shellTokenVariables, { CONNECTIONTYPE: 'shell' }, 'shell'],
    [jumpTokenVariables, { CONNECTION_TYPE: 'connect' }, 'connect'],
  ])('has the claims of the old command: %j', (names, more, prefix) => {
    expect(decideShellToken(names, variables(names.prefix, more), nowMs)).toEqual({
      ok: true,
      request: {
        secret: 's',
        claims: {
          topic: 'pend00',
          prefix,
          scopes: ['host'],
          aud: ['https://a'],
          exp: 1_700_000_299,
          ...issued,
        },
      },
    })
  })

  test.each([
    ['LIFETIME', '', 'SHELLTOKEN_LIFETIME not set'],
    ['LIFETIME', '0', 'SHELLTOKEN_LIFETIME not set'],
    ['LIFETIME', 'soon', 'SHELLTOKEN_LIFETIME not set'],
    ['ROLE', '', 'SHELLTOKEN_ROLE not set'],
    ['SECRET', '', 'SHELLTOKEN_SECRET not set'],
    ['TOPIC', '', 'SHELLTOKEN_TOPIC not set'],
    ['CONNECTIONTYPE', '', 'SHELLTOKEN_CONNECTIONTYPE not set'],
    ['AUDIENCE', '', 'SHELLTOKEN_AUDIENCE not set'],
    ['ROLE', 'toString', 'SHELLTOKEN_ROLE is not one of host, client, stats, read, write, readwrite'],
  ])('is refused with %s=%j, and the first that is missing is named', (name, value, line) => {
    const environment = variables('SHELLTOKEN', { CONNECTIONTYPE: 'shell', [name]: value })

    expect(decideShellToken(shellTokenVariables, environment, nowMs)).toEqual({ ok: false, lines: [line] })
  })

  test.each([
    ['-5', 1_699_999_994],
    ['0x10', 1_700_000_015],
    ['010', 1_700_000_007],
  ])('has the lifetime %s as Go reads it', (lifetime, exp) => {
    const environment = variables('SHELLTOKEN', { CONNECTIONTYPE: 'shell', LIFETIME: lifetime })

    expect(decideShellToken(shellTokenVariables, environment, nowMs)).toMatchObject({
      ok: true,
      request: { claims: { exp } },
    })
  })
})

/** Spec shell 10.1 (a): recorded from the old program. */
const recorded =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b3BpYyI6ImY3NTU4ZGUwLWNiMGQtNGNiNS05NTE4LWFjNzFkMDQ0ODAwYiIsInByZWZpeCI6InNoZWxsIiwic2NvcGVzIjpbImhvc3QiXSwiYXVkIjpbImh0dHBzOi8vcmVsYXktYWNjZXNzLmV4YW1wbGUuaW8iXSwiZXhwIjoxNjA5MzMwMjMzLCJuYmYiOjE2MDkzMjkyMzMsImlhdCI6MTYwOTMyOTIzM30.9IY1QGJjw_CfcBb-nqIAFfMnw0tsl_I3n-4Guuzht74'

test('a token is the very text of the old program (spec shell 10.1 a)', async () => {
  const environment = {
    SHELLTOKEN_LIFETIME: '1000',
    SHELLTOKEN_ROLE: 'host',
    SHELLTOKEN_SECRET: 'somesecret',
    SHELLTOKEN_TOPIC: 'f7558de0-cb0d-4cb5-9518-ac71d044800b',
    SHELLTOKEN_CONNECTIONTYPE: 'shell',
    SHELLTOKEN_AUDIENCE: 'https://relay-access.example.io',
  }
  const decision = decideShellToken(shellTokenVariables, environment, 1_609_329_234_000)
  if (!decision.ok) throw new Error(decision.lines.join())
  const { claims, secret } = decision.request

  expect(await signToken(claims, Buffer.from(secret))).toBe(recorded)
})

test.each([
  ['host', 'shell', 'pend00', 'puI3I1wE_Ko4sj0ythAv4zSOCjTbnenG0xZ3p_myBBI'],
  ['client', 'shell', 'pend00', '5U7hybLJL0zDBVWdWsIuSAJ4j6v_UNyoybqNH8HX5QY'],
  ['stats', 'shell', 'stats', 'n8rNmWRFidAnYAc1Zn4pGCJvKBiuycNQGVTMng-2y6o'],
  ['host', 'connect', 'pend00', 'iO1uUNqDgTqdoyG6Dfdh6UqAPA7IoVIi0Xc4WiQraGM'],
  ['client', 'connect', 'pend00', 'ZTxMPo830_5UbrQTvvAsG7eRnHAL-HtZunMV0U4YIoI'],
])(
  'a token of the role %s for %s is signed as ever (spec shell 10.1 b)',
  async (role, prefix, topic, signature) => {
    const environment = variables('JUMP_TOKEN', {
      ROLE: role,
      TOPIC: topic,
      CONNECTION_TYPE: prefix,
      AUDIENCE: 'http://[::]:10000',
      SECRET: 'somesecret',
      LIFETIME: String(4_102_444_800 - 1_700_000_000),
    })
    const decision = decideShellToken(jumpTokenVariables, environment, 1_700_000_001_000)
    if (!decision.ok) throw new Error(decision.lines.join())
    const { claims, secret } = decision.request

    expect((await signToken(claims, Buffer.from(secret))).split('.')[2]).toBe(signature)
  },
)
