import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readWebsocketPath, servesTopic } from './websocket-path.ts'

const read = (target: string): unknown => readWebsocketPath(target, ['session'])

describe('the address of a websocket', () => {
  test.each([
    ['/session/123?code=abc', '123', 'abc'],
    ['/session/123/?a=1&code=abc&code=def', '123', 'abc'],
    ['/session/a/b/c?code=x', 'a/b/c', 'x'],
    ['/session/a%2Eb?code=x', 'a.b', 'x'],
    ['/session?code=x', '', 'x'],
    ['/session/', '', ''],
    ['/session/x?Code=abc', 'x', ''],
    ['http://host/session/x?code=y', 'x', 'y'],
  ])('%s is topic %j and code %j', (target, topic, code) => {
    expect(read(target)).toEqual({ kind: 'websocket', prefix: 'session', topic, code })
  })

  test.each(['/', '/shell/x', '/stats', '/sessions/x', '/Session/x', '/debug/pprof/'])(
    '%s is not there',
    (target) => {
      expect(read(target)).toEqual({ kind: 'not-found' })
    },
  )

  test.each([
    ['//session/x?code=y', '/session/x?code=y'],
    ['/session//x', '/session/x'],
    ['/a/../session/x/', '/session/x/'],
    ['/session/a%2F%2Fb', '/session/a/b'],
    ['/session/a b/../c d?q=%20', '/session/c%20d?q=%20'],
  ])('%s moved to %s', (target, location) => {
    expect(read(target)).toEqual({ kind: 'moved', location })
  })

  test('a broken escape is none', () => {
    expect(read('/session/%zz')).toEqual({ kind: 'bad-escape' })
  })

  test('no target makes it throw, and no answer moves to where it came from', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const path = readWebsocketPath(text, ['session'])
        return path.kind !== 'moved' || readWebsocketPath(path.location, ['session']).kind !== 'moved'
      }),
    )
  })
})

test.each([
  ['123', '123', true],
  ['123', '1234', false],
  ['1234', '123', false],
  ['a:b', 'a', true],
  ['a:b', 'a:b', true],
  ['a b', 'a', true],
  [':x', '', false],
  ['', '', false],
  ["a.+,'(*&-_)/", "a.+,'(*&-_)/", true],
])('an address for %j serves a code for %j: %s', (asked, topic, serves) => {
  expect(servesTopic(asked, topic)).toBe(serves)
})
