import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  AppError,
  ConfigError,
  describeError,
  errorCode,
  exitCodeOf,
  UnavailableError,
  UsageError,
} from './errors.ts'

describe('an error of ours', () => {
  test('bears the name of its class, its code, its facts and its cause', () => {
    const cause = new Error('inner')
    const error = new UnavailableError('PORT_IN_USE', 'the port is taken', { cause, details: { port: 80 } })

    expect(error).toMatchObject({
      name: 'UnavailableError',
      code: 'PORT_IN_USE',
      details: { port: 80 },
      cause,
    })
  })

  test('has no cause when none was given, so that "cause" in error tells', () => {
    expect('cause' in new AppError('X', 'y')).toBe(false)
  })

  test.each([
    [new AppError('X', 'y'), false],
    [new UnavailableError('X', 'y'), false],
    [new ConfigError('X', 'y'), true],
    [new UsageError('y'), true],
  ])('says whether retrying can help: %s', (error, permanent) => {
    expect(error.permanent).toBe(permanent)
  })
})

test.each([
  [new UsageError('x'), 64],
  [new ConfigError('X', 'x'), 78],
  [new UnavailableError('X', 'x'), 69],
  [new AppError('X', 'x'), 1],
  [new TypeError('x'), 70],
  ['a text', 70],
  [undefined, 70],
])('the exit code of %s is %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code)
})

test.each([
  [new AppError('MINE', 'x'), 'MINE'],
  [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  [Object.assign(new Error('x'), { code: 5 }), undefined],
  [new Error('x'), undefined],
  [null, undefined],
  ['x', undefined],
])('the stable code of %s is %s', (error, code) => {
  expect(errorCode(error)).toBe(code)
})

describe('describing what was thrown', () => {
  const refused = (where: string): Error =>
    Object.assign(new Error(`connect ECONNREFUSED ${where}`), { code: 'ECONNREFUSED' })

  test.each<readonly [string, unknown, string]>([
    ['a plain error', new Error('it broke'), 'it broke'],
    ['its cause', new Error('no answer', { cause: new Error('timed out') }), 'no answer: timed out'],
    [
      'a cause that is quoted already',
      new Error('no answer: timed out', { cause: new Error('timed out') }),
      'no answer: timed out',
    ],
    ['an empty message', new TypeError(''), 'TypeError'],
    ['an empty message with a code', Object.assign(new Error(''), { code: 'EIO' }), 'EIO'],
    [
      'several addresses that failed',
      Object.assign(new AggregateError([refused('::1:80'), refused('127.0.0.1:80')], ''), {
        code: 'ECONNREFUSED',
      }),
      'connect ECONNREFUSED ::1:80',
    ],
    ['an aggregate of nothing', new AggregateError([], 'all failed'), 'all failed'],
    ['a text', 'it broke', 'it broke'],
    ['a number', 5, '5'],
    ['undefined', undefined, 'undefined'],
    ['the error event of a websocket', { type: 'error', message: 'socket hang up' }, 'socket hang up'],
    [
      'an answer that is no HTTP',
      Object.assign(new Error('Parse Error: Expected HTTP/, RTSP/ or ICE/'), {
        code: 'HPE_INVALID_CONSTANT',
      }),
      'what answers there does not speak HTTP',
    ],
    [
      'an answer that is no TLS',
      new Error(
        'write EPROTO 406D:error:0A00010B:SSL routines:tls_validate:wrong version number:../deps/x.c:77:',
      ),
      'there is no TLS as it should be (wrong version number)',
    ],
    ['an object without a prototype', Object.create(null), 'something without a message was thrown'],
    [
      'an abort reason',
      new DOMException('The operation was aborted', 'AbortError'),
      'The operation was aborted',
    ],
  ])('%s', (_name, thrown, sentence) => {
    expect(describeError(thrown)).toBe(sentence)
  })

  test('an error that is its own cause is described and not followed for ever', () => {
    const error = new Error('outer')
    const inner = new Error('inner', { cause: error })
    error.cause = inner

    expect(describeError(error)).toContain('outer')
  })

  test('whatever is thrown, there is a sentence', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true })
    fc.assert(
      fc.property(anything, anything, (thrown, cause) => {
        expect(typeof describeError(thrown)).toBe('string')
        expect(typeof describeError(new Error('outer', { cause }))).toBe('string')
      }),
    )
  })
})
