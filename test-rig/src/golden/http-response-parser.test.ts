import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type HttpResponse, HttpResponseParser } from './http-response-parser.ts'
import { encodeChunk, lastChunk } from './raw-http.ts'

function parse(text: string | Buffer, { isHead = false } = {}): HttpResponse | undefined {
  return new HttpResponseParser({ isHead }).push(Buffer.from(text))
}

test('an answer with a length ends where it says', () => {
  const response = parse('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\n{}rest')

  expect(response?.status).toBe(401)
  expect(response?.body.toString()).toBe('{}')
  expect(response?.rest.toString()).toBe('rest')
  expect(response?.headers.get('x-a')).toBe('1, 2')
})

test('an answer without a length ends with the connection', () => {
  const parser = new HttpResponseParser({ isHead: false })

  expect(parser.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nhalf'))).toBeUndefined()
  expect(parser.end()?.body.toString()).toBe('half')
})

test('an answer cut off in its headers or body is none', () => {
  const parser = new HttpResponseParser({ isHead: false })
  parser.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'))

  expect(parser.end()).toBeUndefined()
  expect(new HttpResponseParser({ isHead: false }).end()).toBeUndefined()
})

test('interim answers are passed over, and what follows a 101 is handed on', () => {
  expect(parse('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n')?.status).toBe(204)
  expect(parse('HTTP/1.1 101 Switching Protocols\r\n\r\n\u0001\u0002')?.rest.toString('hex')).toBe('0102')
})

test('the answer to HEAD has no body whatever its length says', () => {
  expect(parse('HTTP/1.1 405 No\r\nContent-Length: 5\r\n\r\n', { isHead: true })?.body).toHaveLength(0)
})

test('chunks are joined, however the bytes are cut', () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 })
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 50 }), (parts, cutBytes) => {
      const bodies = parts.map((part) => Buffer.from(part))
      const wire = Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
        ...bodies.map(encodeChunk),
        lastChunk,
      ])
      const parser = new HttpResponseParser({ isHead: false })
      let response: HttpResponse | undefined
      for (let from = 0; from < wire.length; from += cutBytes) {
        response ??= parser.push(wire.subarray(from, from + cutBytes))
      }

      expect(response?.body.equals(Buffer.concat(bodies))).toBe(true)
    }),
  )
})

test('bytes that are no answer are refused', () => {
  expect(() => parse('SSH-2.0-OpenSSH\r\n\r\n')).toThrow('not an answer: "SSH-2.0-OpenSSH"')
})
