import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanPath, escapePath, parseRequestTarget } from './request-target.ts'

test.each([
  ['/a/b', { path: '/a/b', query: '' }],
  ['/a?x=/y//z', { path: '/a', query: '?x=/y//z' }],
  ['/stream%2Flarge', { path: '/stream/large', query: '' }],
  ['/%e4', { path: '/\u00e4', query: '' }],
  ['/a#b', { path: '/a#b', query: '' }],
  ['http://localhost:8888/a?b', { path: '/a', query: '?b', host: 'localhost:8888' }],
  ['http://localhost', { path: '/', query: '', host: 'localhost' }],
  ['HTTPS://h?x', { path: '/', query: '?x', host: 'h' }],
])('%s is taken apart', (target, expected) => {
  expect(parseRequestTarget(target)).toEqual(expected)
})

test.each(['', '*', 'a', '/%zz', '/%4', '/%', 'ftp://h/x'])('%j is a bad request', (target) => {
  expect(parseRequestTarget(target)).toBeUndefined()
})

test.each([
  ['/', '/'],
  ['//', '/'],
  ['/a//b', '/a/b'],
  ['/a/', '/a/'],
  ['/a//', '/a/'],
  ['/./a', '/a'],
  ['/../a', '/a'],
  ['/a/../b/', '/b/'],
  ['/a/..', '/'],
  ['/a/.', '/a'],
])('%s is cleaned to %s', (path, clean) => {
  expect(cleanPath(path)).toBe(clean)
})

test('a clean path stays as it is, so that no redirect leads to another', () => {
  const path = fc
    .array(fc.constantFrom('', '.', '..', 'a', 'bc', '...'))
    .map((parts) => `/${parts.join('/')}`)
  fc.assert(fc.property(path, (dirty) => cleanPath(cleanPath(dirty)) === cleanPath(dirty)))
})

test('an escaped path decodes to what it was', () => {
  const path = fc.array(fc.integer({ min: 0, max: 255 })).map((bytes) => `/${String.fromCharCode(...bytes)}`)
  fc.assert(
    fc.property(path, (bytes) => {
      const escaped = escapePath(bytes)
      return /^[\x21-\x7e]+$/.test(escaped) && parseRequestTarget(escaped)?.path === bytes
    }),
  )
})
