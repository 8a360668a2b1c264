import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from './errors.ts'
import { createLog, type Log, silentLog, withoutSecrets } from './log.ts'

const token =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b3BpYyI6IjEyMyIsInByZWZpeCI6InNlc3Npb24ifQ.Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OWFiY2RlZmdoaWo'
const code = '2b1c7b4e-58a3-4f0e-9a3e-0c5d8b1f2a77'
const secrets = [token, ...token.split('.'), code, 'hunter2']

interface Captured {
  readonly log: Log
  readonly lines: string[]
  readonly last: () => Record<string, unknown>
}

function capture(level: 'trace' | 'info' = 'trace'): Captured {
  const lines: string[] = []
  const destination = { write: (line: string): number => lines.push(line) }
  const log = createLog({ program: 'relay', level, destination })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> }
}

function expectClean(text: string): void {
  for (const secret of secrets) expect(text).not.toContain(secret)
}

test('a line is JSON with time, level, program, facts and a constant message', () => {
  const { log, lines, last } = capture()
  log.info({ topic: 'spin30-data', viewers: 2 }, 'viewer joined')

  expect(lines[0]).toMatch(/^[^\n]+\n$/)
  expect(last()).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    program: 'relay',
    topic: 'spin30-data',
    viewers: 2,
    msg: 'viewer joined',
  })
})

test('what is below the level is not written, and a silent log writes nothing', () => {
  const { log, lines } = capture('info')
  log.debug('free')
  expect(lines).toEqual([])
  expect(silentLog().isLevelEnabled('fatal')).toBe(false)
})

describe('an error in the log', () => {
  test('of ours shows its code and facts, and those of its cause, without a stack', () => {
    const { log, last } = capture()
    const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
    log.warn(
      { error: new AppError('ACCESS_UNREACHABLE', 'no access', { cause, details: { status: 500 } }) },
      'x',
    )

    expect(last().error).toEqual({
      name: 'AppError',
      message: 'no access',
      code: 'ACCESS_UNREACHABLE',
      details: { status: 500 },
      cause: { name: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:1', code: 'ECONNREFUSED' },
    })
  })

  test('that is a bug shows where it happened', () => {
    const { log, last } = capture()
    log.error({ error: new TypeError('x is not a function') }, 'x')

    expect(last().error).toMatchObject({
      name: 'TypeError',
      stack: expect.stringContaining('log.test') as string,
    })
  })

  test('given alone is treated alike', () => {
    const { log, last } = capture()
    log.error(new AppError('MINE', 'it broke'))

    expect(last().msg).toBe('it broke')
    expect(last().err).toEqual({ name: 'AppError', message: 'it broke', code: 'MINE', details: {} })
  })

  test('that is its own cause ends', () => {
    const { log, lines } = capture()
    const error = new AppError('MINE', 'it broke')
    error.cause = error
    log.error({ error }, 'x')

    expect(lines).toHaveLength(1)
  })

  test('that is no error is shown as it is', () => {
    const { log, last } = capture()
    log.error({ error: 'a text' }, 'x')

    expect(last().error).toBe('a text')
  })
})

describe('a secret never reaches the log', () => {
  const uri = `wss://relay.example.io/session/123?code=${code}`
  const places: readonly (readonly [string, (log: Log) => void])[] = [
    ['as a field', (log) => log.info({ token, code, secret: 'hunter2', uri }, 'x')],
    [
      'in another letter case',
      (log) => log.info({ Authorization: token, Password: 'hunter2', CODE: code }, 'x'),
    ],
    [
      'under a longer name',
      (log) => log.info({ accessToken: 'hunter2', relay_secret: 'hunter2', 'set-cookie': 'hunter2' }, 'x'),
    ],
    ['in several', (log) => log.info({ tokens: ['hunter2', token], codes: { a: code } }, 'x')],
    ['deep inside', (log) => log.info({ a: { b: { c: { d: { token: 'hunter2' } } } } }, 'x')],
    ['in a list', (log) => log.info({ list: [{ code }, [{ secret: 'hunter2' }]] }, 'x')],
    ['in the message', (log) => log.info(`got ${token} for ${uri}`)],
    [
      'in a text',
      (log) => log.info({ request: `POST / ${token}`, address: uri, both: `"${uri}" and '${token}'` }, 'x'),
    ],
    ['cut off', (log) => log.info({ start: token.slice(0, 80), header: token.split('.')[0] }, 'x')],
    ['behind Bearer', (log) => log.info({ header: `Bearer ${token}` }, 'x')],
    ['as JSON in a text', (log) => log.info({ body: JSON.stringify({ uri, code }) }, 'x')],
    [
      'in an escaped address',
      (log) =>
        log.info({ body: `wss://r/s?a=b\\u0026code=${code}`, path: `/x?to=%2Fs%3Fcode%3D${code}` }, 'x'),
    ],
    ['of a child log', (log) => log.child({ token: 'hunter2', request: { code } }).info('x')],
    ['in an error message', (log) => log.error({ error: new Error(`bad ${token}`) }, 'x')],
    ['in an error given alone', (log) => log.error(new Error(`bad ${uri}`))],
    [
      'in the facts of an error',
      (log) => log.error({ error: new AppError('X', 'y', { details: { token: 'hunter2', uri } }) }, 'x'),
    ],
    [
      'in the cause of an error',
      (log) =>
        log.error(
          {
            error: new AppError('X', 'y', {
              cause: new Error(`"${token}" is invalid`, { cause: new Error(uri) }),
            }),
          },
          'x',
        ),
    ],
    [
      'in an error under another name',
      (log) => log.error({ reason: Object.assign(new Error('x'), { token: 'hunter2' }) }, 'x'),
    ],
    [
      'in a key that it shares a line with',
      (log) => log.info({ code: 1006, note: `code=${code}`, url: `http://x/?code=${code}` }, 'x'),
    ],
  ]

  test.each(places)('%s', (_name, write) => {
    const { log, lines } = capture()
    write(log)

    expect(lines).toHaveLength(1)
    expectClean(lines.join(''))
    expect(() => JSON.parse(lines[0] ?? '') as unknown).not.toThrow()
    expect(lines[0]).toContain('(removed)')
  })

  test('whatever surrounds it, and the line stays JSON', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 30 }),
        fc.string({ maxLength: 30 }),
        (before, after) => {
          const { log, lines } = capture()
          log.info(
            { text: `${before}${token} ${after}`, url: `${before}?code=${code}"${after}` },
            `${before} ${token}`,
          )
          expectClean(lines.join(''))
          expect(() => JSON.parse(lines[0] ?? '') as unknown).not.toThrow()
        },
      ),
    )
  })
})

test('what is no secret stays: counts, stable codes, close codes, file names, booking ids', () => {
  const { log, last } = capture()
  const facts = {
    code: 1006,
    exitCode: 137,
    errorCode: 'EADDRINUSE',
    tokens: 3,
    secretIsShort: true,
    tokenFile: '/etc/practable/video.token',
    bookingId: code,
    topic: 'eye-tracker.example.org',
    secret: '',
    nothing: null,
  }
  log.info(facts, 'x')

  expect(last()).toMatchObject(facts)
})

test('a text without a secret is left as it is', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'abc /:?&=.-_"\\{}'.split('')), maxLength: 80 }),
      (text) => {
        expect(withoutSecrets(text)).toBe(text)
      },
    ),
  )
})

test('a hostile text is searched in no time', () => {
  const before = process.cpuUsage()
  for (const piece of ['eyJ', 'eyJaaaaaaaa.', '?code=', 'code ', 'ewo-', '-'.repeat(9)]) {
    withoutSecrets(piece.repeat(100_000 / piece.length))
  }
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000)
})
