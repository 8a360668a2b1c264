import fc from 'fast-check'
import { expect, test } from 'vitest'
import { controlRequest, dtrOn, isConfirmed, lineRequests, parseComPort } from './com-port.ts'

const line = { baudRate: 9600, dataBits: 7, parity: 'odd', stopBits: 2, rtscts: true } as const

test('a line is set with the numbers of RFC 2217', () => {
  expect(lineRequests(line).map(({ payload }) => payload.toString('hex'))).toEqual([
    '0100002580',
    '0207',
    '0302',
    '0402',
    '0503',
  ])
  expect(controlRequest(dtrOn, 'DTR').payload.toString('hex')).toBe('0508')
})

test('a baud rate may be missed by a few percent, anything else not at all', () => {
  const [baud, data] = lineRequests(line)
  if (baud === undefined || data === undefined) throw new Error('no requests')

  expect([9600, 9615, 9312].map((value) => isConfirmed(baud, value))).toEqual([true, true, true])
  expect([19_200, 9_000, 0].map((value) => isConfirmed(baud, value))).toEqual([false, false, false])
  expect([7, 8].map((value) => isConfirmed(data, value))).toEqual([true, false])
})

test.each([
  ['6500002580', { kind: 'value', command: 1, value: 9600 }],
  ['6908', { kind: 'value', command: 5, value: 8 }],
  ['6c', { kind: 'suspend' }],
  ['6d', { kind: 'resume' }],
  ['6b10', { kind: 'other' }],
  ['0100002580', { kind: 'other' }],
  ['650000', { kind: 'other' }],
  ['66', { kind: 'other' }],
  ['', { kind: 'other' }],
])('%s of a server is understood', (hex, answer) => {
  expect(parseComPort(Buffer.from(hex, 'hex'))).toEqual(answer)
})

test('any payload is taken', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      expect(['value', 'suspend', 'resume', 'other']).toContain(parseComPort(Buffer.from(bytes)).kind)
    }),
  )
})
