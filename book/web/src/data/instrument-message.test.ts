import { expect, test } from 'vitest'
import { readInstrumentMessage } from './instrument-message.ts'

test.for([
  [{ pong: 7 }, { kind: 'pong', id: 7 }],
  [{ cmd: 'set', param: 'target', value: 1.5 }, { kind: 'command' }],
  [
    { report: 'describe', controls: [] },
    { kind: 'description', body: { report: 'describe', controls: [] } },
  ],
  [{ error: 'unknown command' }, { kind: 'note', body: { error: 'unknown command' } }],
  [
    { report: 'self-test', passed: 3 },
    { kind: 'note', body: { report: 'self-test', passed: 3 } },
  ],
  [
    { t: 12_345, angle: 0.12, running: true },
    { kind: 'sample', body: { t: 12_345, angle: 0.12, running: true }, deviceMs: 12_345 },
  ],
  [{ angle: 1 }, { kind: 'sample', body: { angle: 1 }, deviceMs: undefined }],
  [[1, 2], { kind: 'note', body: [1, 2] }],
  ['hello', { kind: 'note', body: 'hello' }],
  [null, { kind: 'note', body: null }],
] as const)('%j is understood as %j', ([value, message]) => {
  expect(readInstrumentMessage(value)).toEqual(message)
})
