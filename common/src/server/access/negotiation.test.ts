import { describe, expect, test } from 'vitest'
import { acceptsJson, mediaTypeRefusal } from './negotiation.ts'

describe('mediaTypeRefusal', () => {
  test.each([
    [{ contentType: undefined, accept: undefined, bodyLength: 0 }, undefined],
    [{ contentType: 'text/plain', accept: undefined, bodyLength: 0 }, undefined],
    [{ contentType: '///', accept: undefined, bodyLength: 0 }, undefined],
    [{ contentType: 'application/json', accept: 'text/html', bodyLength: 2 }, undefined],
    [{ contentType: 'Application/JSON; charset=utf-8', accept: undefined, bodyLength: 2 }, undefined],
    [{ contentType: undefined, accept: 'text/html', bodyLength: 0 }, 'NOT_ACCEPTABLE'],
    [{ contentType: undefined, accept: undefined, bodyLength: 1 }, 'UNSUPPORTED_MEDIA_TYPE'],
    [{ contentType: 'text/plain', accept: undefined, bodyLength: 1 }, 'UNSUPPORTED_MEDIA_TYPE'],
    [{ contentType: '///', accept: undefined, bodyLength: 1 }, 'BAD_CONTENT_TYPE'],
    [{ contentType: 'application/jsonp', accept: undefined, bodyLength: 1 }, 'UNSUPPORTED_MEDIA_TYPE'],
  ])('%j: %s', (offered, refusal) => {
    expect(mediaTypeRefusal(offered)?.refusal).toBe(refusal)
  })

  test('bodies are those of the old server', () => {
    expect(mediaTypeRefusal({ contentType: '///', accept: undefined, bodyLength: 1 })?.body).toBe(
      '{"code":400,"message":"parsing Content-Type header from \\"///\\" failed, because mime: no media type"}',
    )
    expect(mediaTypeRefusal({ contentType: undefined, accept: undefined, bodyLength: 1 })?.body).toBe(
      '{"code":415,"message":"unsupported media type \\"application/octet-stream\\", only [application/json] are allowed"}',
    )
  })
})

test.each([
  [undefined, true],
  ['', true],
  ['*/*', true],
  ['application/*', true],
  ['application/json', true],
  ['text/html, application/json;q=0.1', true],
  ['application/json, text/plain, */*', true],
  ['text/html', false],
  ['application/json;q=0', false],
  ['application/json; q=0.000', false],
  ['*/*;q=0, text/html', false],
  ['json', false],
])('Accept %j lets JSON through: %s', (accept, isAccepted) => {
  expect(acceptsJson(accept)).toBe(isAccepted)
})
