import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commonPaths, methodsOf, routeTarget } from './access-path.ts'

describe('routeTarget', () => {
  test.each([
    ['/session/x', '/session/x'],
    ['//session/x', '/session/x'],
    ['/y/../session/x', '/session/x'],
    ['/session/x/', '/session/x'],
    ['/session/x/?a=1', '/session/x?a=1'],
    ['/session/a%2Fb', '/session/a%2Fb'],
    ['/session/a%2fb', '/session/a%2Fb'],
    ['/session/%252F', '/session/%252F'],
    ['/session/a&b', '/session/a%26b'],
    ['/session/é', '/session/%C3%A9'],
    ['/session/', '/session'],
    ['/%73tatus', '/status'],
    ['http://h/session/x', '/session/x'],
    ['/', '/'],
    ['*', '/*'],
  ])('%j is routed as %j', (target, routed) => {
    expect(routeTarget(target)).toBe(routed)
  })

  test('a broken escape is left for the router to refuse', () => {
    expect(routeTarget('/session/%zz')).toBe('/%')
  })

  test('every topic comes out as it went in', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (topic) => {
        fc.pre(topic !== '.' && topic !== '..')
        const routed = routeTarget(`/session/${encodeURIComponent(topic)}`)
        expect(decodeURIComponent(routed.slice('/session/'.length))).toBe(topic)
      }),
    )
  })

  test('no target makes it throw', () => {
    fc.assert(fc.property(fc.string(), (target) => routeTarget(target).startsWith('/')))
  })
})

test.each([
  ['/session/x', ['POST']],
  ['/session/a%2Fb', ['POST']],
  ['/session', undefined],
  ['/session/a/b', undefined],
  ['/bids/deny', ['POST', 'GET']],
  ['/status', ['GET']],
  ['/toString', undefined],
  ['/x', undefined],
])('%s answers the methods %j', (path, methods) => {
  expect(methodsOf(path, { ...commonPaths, '/session/*': ['POST'] })).toEqual(methods)
})
