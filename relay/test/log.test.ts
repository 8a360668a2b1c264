import { createLog } from '@relay/common/log'
import { expect, test } from 'vitest'
import { RunningRelay } from './support/running-relay.ts'
import { adminToken, claimsFor, mint, secret } from './support/tokens.ts'
import { Viewer } from './support/viewer.ts'

test('no token, code or secret is ever logged, at the most talkative level', async () => {
  const lines: string[] = []
  const log = createLog({
    program: 'relay',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  })
  const tokens = [
    mint(claimsFor('t', { booking_id: 'bk-1' })),
    mint(claimsFor('t'), 'another-secret'),
    mint(claimsFor('t', { exp: 1 })),
    'not.a.token',
    await adminToken('relay:admin'),
  ] as const
  const codes: string[] = []
  {
    await using running = await RunningRelay.start({ log })
    for (const token of tokens) await running.post('t', token)
    const address = await running.address('t', { booking_id: 'bk-1' })
    codes.push(new URL(address).searchParams.get('code') ?? '')
    const viewer = await Viewer.dial(address)
    await Viewer.dial(address).catch(() => {})
    await running.ask('POST', `/bids/deny?bid=bk-1&exp=9999999999`, tokens[4])
    await viewer.end()
  }

  const text = lines.join('')
  expect(text).toContain('booking denied')
  expect(text).toContain('token refused')
  const hidden = [...tokens, ...codes, secret, ...tokens.flatMap((token) => token.split('.').slice(1))]
  const long = hidden.filter((one) => one.length > 8)
  expect(long.filter((one) => text.includes(one))).toEqual([])
})
