import fc from 'fast-check'
import { expect, test } from 'vitest'
import { spreadPayload } from './return-hint.ts'
import { readViewers, viewersPayload } from './viewers-hint.ts'

test.each([0, 1, 20_000])('%i viewers are told and understood', (count) => {
  expect(readViewers(viewersPayload(count))).toBe(count)
})

test.each(['', 'viewers=', 'viewers=x', 'viewers=-1', 'viewers=1 ', ' viewers=1', 'viewers=1234567890'])(
  'a ping of "%s" tells no number',
  (text) => {
    expect(readViewers(Buffer.from(text))).toBeUndefined()
  },
)

test('no other ping tells a number', () => {
  expect(readViewers(spreadPayload(5_000))).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 125 }), (bytes) => {
      expect(readViewers(Buffer.from(bytes))).toBeUndefined()
    }),
  )
})
