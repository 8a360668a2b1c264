import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanPath, percentDecode, splitTarget } from './request-path.ts'

describe('splitTarget', () => {
  test.each([
    ['/a?b=1', '/a', 'b=1'],
    ['/a', '/a', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['/a#b?c', '/a', ''],
    ['http://host:1/a?b', '/a', 'b'],
    ['https://host', '/', ''],
    ['', '/', ''],
    ['?x', '/', 'x'],
  ])('%j is path %j and query %j', (target, path, query) => {
    expect(splitTarget(target)).toEqual({ path, query })
  })
})

describe('percentDecode', () => {
  test.each([
    ['/session/a%2Fb', '/session/a/b'],
    ['%252F', '%2F'],
    ['%C3%A9', 'é'],
    ['plain', 'plain'],
  ])('%j becomes %j', (escaped, plain) => {
    expect(percentDecode(escaped)).toBe(plain)
  })

  test.each(['%', '%z', '%zz', 'a%2', '%%20'])('%j is a broken escape', (text) => {
    expect(percentDecode(text)).toBeUndefined()
  })

  test('bytes that are no UTF-8 become a character that no claim holds', () => {
    expect(percentDecode('a%ffb')).toBe('a�b')
  })

  test('what was escaped once comes back', () => {
    fc.assert(fc.property(fc.string(), (text) => percentDecode(encodeURIComponent(text)) === text))
  })

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('%', '2', 'F', 'f', 'z', '/', 'é') }), (text) => {
        percentDecode(text)
      }),
    )
  })
})

describe('cleanPath', () => {
  test.each([
    ['/a/b', '/a/b'],
    ['//a//b', '/a/b'],
    ['/y/../session/x', '/session/x'],
    ['/../../x', '/x'],
    ['/a/./b/', '/a/b/'],
    ['/', '/'],
    ['//', '/'],
    ['/a/..', '/'],
    ['x', '/x'],
  ])('%j is cleaned to %j', (path, cleaned) => {
    expect(cleanPath(path)).toBe(cleaned)
  })

  test('a cleaned path is clean', () => {
    const path = fc.string({ unit: fc.constantFrom('/', '.', 'a') }).map((text) => `/${text}`)
    fc.assert(fc.property(path, (dirty) => cleanPath(cleanPath(dirty)) === cleanPath(dirty)))
  })
})
