import { expect, test } from 'vitest'
import type { Expectation } from './golden-case.ts'
import { explainOutcome } from './explain-response.ts'
import type { HttpOutcome } from './raw-http.ts'

const answered: HttpOutcome = {
  kind: 'answered',
  response: {
    status: 405,
    headers: new Map([['allow', 'POST']]),
    body: Buffer.from('{"code":405,"bids":["b","a"]}'),
    rest: Buffer.alloc(0),
  },
}

const fitting: readonly Expectation[] = [
  { status: 405 },
  { status: [200, 405] },
  { headers: { Allow: '{{any}}POST', 'X-Powered-By': null } },
  { body: '{"code":405,{{any}}' },
  { bodyContains: ['bids'] },
  { json: { code: 405, bids: ['b', 'a'] } },
  { jsonContains: { code: 405 } },
  { at: 'bids', jsonSet: ['a', 'b'] },
  { at: 'bids', jsonHas: ['a'] },
]

const wrong: readonly Expectation[] = [
  { status: 401 },
  { status: [200, 401] },
  { headers: { Allow: 'GET' } },
  { headers: { Allow: null } },
  { headers: { Missing: '{{any}}' } },
  { body: '{}' },
  { bodyContains: ['nope'] },
  { json: { code: 405 } },
  { jsonContains: { code: 401 } },
  { at: 'bids', jsonSet: ['a'] },
  { at: 'bids', jsonHas: ['c'] },
  { at: 'nope', jsonHas: ['a'] },
  { dropped: true },
]

test.for(fitting)('%j fits the answer', (expected) => {
  expect(explainOutcome(expected, answered, new Map())).toStrictEqual([])
})

test.for(wrong)('%j does not fit the answer', (expected) => {
  expect(explainOutcome(expected, answered, new Map())).not.toStrictEqual([])
})

test('a connection closed before a byte of an answer is dropped, one closed later is not', () => {
  expect(explainOutcome({ dropped: true }, { kind: 'dropped', receivedBytes: 0 }, new Map())).toStrictEqual(
    [],
  )
  expect(explainOutcome({ dropped: true }, { kind: 'dropped', receivedBytes: 9 }, new Map())).toHaveLength(1)
  expect(explainOutcome({ status: 200 }, { kind: 'silent' }, new Map())).toHaveLength(1)
})
