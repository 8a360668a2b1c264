import { expect, test } from 'vitest'
import { labPageAddress, mintStreams } from './lab-streams.ts'
import { LabTokens } from './lab-tokens.ts'

const audience = 'http://127.0.0.1:3000'
const nowMs = 1_700_000_000_500

function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
}

test('the streams have the shape that booking pages hand over', async () => {
  const streams = await mintStreams(new LabTokens(audience, 's'.repeat(32)), {
    access: 'http://10.0.0.5:3000',
    audience,
    nowMs,
  })

  const permission = { audience, connection_type: 'session' }
  const token: unknown = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(streams).toEqual([
    {
      for: 'video',
      url: 'http://10.0.0.5:3000/session/lab-video',
      verb: 'POST',
      token,
      permission: { ...permission, scopes: ['read'], topic: 'lab-video' },
    },
    {
      for: 'data',
      url: 'http://10.0.0.5:3000/session/lab-data',
      verb: 'POST',
      token,
      permission: { ...permission, scopes: ['read', 'write'], topic: 'lab-data' },
    },
  ])
})

test('a token allows one topic, with its booking id, for an hour', async () => {
  const [video] = await mintStreams(new LabTokens(audience, 's'.repeat(32)), {
    access: audience,
    audience,
    nowMs,
  })

  expect(claimsOf(video?.token ?? '')).toEqual({
    booking_id: 'lab',
    topic: 'lab-video',
    prefix: 'session',
    scopes: ['read'],
    aud: [audience],
    exp: 1_700_003_600,
    nbf: 1_699_999_999,
    iat: 1_699_999_999,
  })
})

test('the address carries streams and expiry in its fragment', () => {
  const address = labPageAddress([], nowMs)

  expect(address).toBe('/lab.html#streams=%5B%5D&exp=1700003600')
})
