import { expect, test } from 'vitest'
import { aborted, systemClock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { silentLog } from '../log.ts'
import { fixedToken } from '../token-source.ts'
import { explainTokenKind } from './explain-token-kind.ts'
import { ShellManager } from './shell-manager.ts'

const refused = new AppError('RELAY_REFUSED', 'the relay refused the connection (404)', {
  details: { status: 404 },
})

function tokenFor(prefix: string): string {
  return `e30.${Buffer.from(JSON.stringify({ topic: 'pend00', prefix })).toString('base64url')}.c2ln`
}

test.each([
  ['shell', 'https://x/api/v1/connect/pend00', '"shell", and the session address is that of "connect" ones'],
  ['connect', 'https://x/y/shell/pend00/', '"connect", and the session address is that of "shell" ones'],
  ['session', 'https://x/shell/pend00', '"session", and the session address is that of "shell" ones'],
])('a token for %s at %s is called what it is', (prefix, access, says) => {
  const explained = explainTokenKind(refused, { access, token: tokenFor(prefix) })

  expect(explained).toMatchObject({
    code: 'TOKEN_KIND_WRONG',
    message: expect.stringContaining(says) as string,
  })
})

test.each([
  ['a token that fits', refused, tokenFor('shell')],
  ['a token that cannot be read', refused, 'abc'],
  [
    'another status',
    new AppError('RELAY_REFUSED', 'the relay refused the connection (503)', { details: { status: 503 } }),
    tokenFor('connect'),
  ],
  ['another error', new Error('RELAY_REFUSED'), tokenFor('connect')],
])('%s leaves the error as it is', (_what, error, token) => {
  expect(explainTokenKind(error, { access: 'https://x/shell/pend00', token })).toBe(error)
})

test('a host tells it as its fault, and goes on trying', async () => {
  const stop = new AbortController()
  const told = Promise.withResolvers<void>()
  const manager = new ShellManager(
    { access: 'https://x/shell/pend00', id: 'pend00' },
    {
      clock: {
        ...systemClock,
        sleep: async (_delayMs, signal = stop.signal) => {
          told.resolve()
          await aborted(signal)
        },
      },
      random: () => 0,
      log: silentLog(),
      environment: {},
      token: fixedToken(tokenFor('connect')),
      onClient: () => undefined,
      onReady: () => undefined,
      exchange: async () => 'wss://x/connect/pend00?code=c',
      openLink: () => Promise.reject(refused),
    },
  )
  const running = manager.run(stop.signal)
  await told.promise

  expect(manager.status).toMatchObject({ state: 'waiting', fault: { code: 'TOKEN_KIND_WRONG' } })
  stop.abort()
  await running
})
