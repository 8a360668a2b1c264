import { expect, test } from 'vitest'
import { parseRequestTarget } from './request-target.ts'
import { type Route, routeRequest } from './route.ts'

function routeOf(method: string, target: string): Route | undefined {
  const parsed = parseRequestTarget(target)
  return parsed === undefined ? undefined : routeRequest(method, parsed)
}

test.each<[string, string, Route]>([
  ['GET', '/api', { kind: 'api' }],
  ['POST', '/api', { kind: 'api' }],
  ['GET', '/healthcheck', { kind: 'healthcheck' }],
  ['GET', '/healthcheck?x=1', { kind: 'healthcheck' }],
  ['POST', '/healthcheck', { kind: 'method-not-allowed' }],
  ['HEAD', '/healthcheck', { kind: 'method-not-allowed' }],
  ['PUT', '/api/streams', { kind: 'put-rule', of: 'streams' }],
  ['POST', '/api/streams', { kind: 'put-rule', of: 'streams' }],
  ['GET', '/api/streams', { kind: 'method-not-allowed' }],
  ['OPTIONS', '/api/streams', { kind: 'method-not-allowed' }],
  ['GET', '/api/streams/all', { kind: 'list-rules', of: 'streams' }],
  ['GET', '/api/streams/stream/front/large', { kind: 'get-rule', of: 'streams', name: 'stream/front/large' }],
  ['GET', '/api/streams/stream%2Ffront', { kind: 'get-rule', of: 'streams', name: 'stream/front' }],
  ['GET', '/api/streams/deleteAll', { kind: 'get-rule', of: 'streams', name: 'deleteAll' }],
  ['DELETE', '/api/streams/stream/x', { kind: 'delete-rule', of: 'streams', name: 'stream/x' }],
  ['DELETE', '/api/streams/all', { kind: 'delete-rules', of: 'streams' }],
  ['DELETE', '/api/streams/deleteAll', { kind: 'delete-rules', of: 'streams' }],
  ['POST', '/api/streams/x', { kind: 'method-not-allowed' }],
  ['PUT', '/api/destinations', { kind: 'put-rule', of: 'destinations' }],
  ['POST', '/api/destinations', { kind: 'put-rule', of: 'destinations' }],
  ['DELETE', '/api/destinations', { kind: 'method-not-allowed' }],
  ['GET', '/api/destinations/all', { kind: 'list-rules', of: 'destinations' }],
  ['GET', '/api/destinations/00', { kind: 'get-rule', of: 'destinations', name: '00' }],
  ['DELETE', '/api/destinations/00', { kind: 'delete-rule', of: 'destinations', name: '00' }],
  ['DELETE', '/api/destinations/all', { kind: 'delete-rules', of: 'destinations' }],
  ['DELETE', '/api/destinations/deleteAll', { kind: 'delete-rules', of: 'destinations' }],
  ['POST', '/ts/video', { kind: 'upload', feed: 'video' }],
  ['GET', '/ts/front/video-0', { kind: 'upload', feed: 'front/video-0' }],
  ['GET', '/ws/data', { kind: 'websocket', feed: 'data' }],
  ['GET', '/ws/stream/front', { kind: 'websocket', feed: 'stream/front' }],
])('%s %s', (method, target, route) => {
  expect(routeOf(method, target)).toEqual(route)
})

test.each([
  '/',
  '/nope',
  '/api/',
  '/apix',
  '/healthcheck/',
  '/api/streams/',
  '/api/streams/under_score',
  '/api/destinations/a.b',
  '/ts',
  '/ts/',
  '/ts/a_b',
  '/ws/',
  '/ws/a%20b',
  '/ws/%c3%a4',
  '/debug/pprof/',
  '/API',
])('GET %s is not found', (target) => {
  expect(routeOf('GET', target)).toEqual({ kind: 'not-found' })
})

test.each([
  ['//healthcheck', '/healthcheck'],
  ['/api//streams/x?y=//z', '/api/streams/x?y=//z'],
  ['/ws/../healthcheck', '/healthcheck'],
  ['/%2e%2e/x', '/x'],
  ['/a//%c3%a4%20', '/a/%C3%A4%20'],
  ['//nope', '/nope'],
])('%s is redirected to %s', (target, location) => {
  expect(routeOf('GET', target)).toEqual({ kind: 'redirect', location })
})
