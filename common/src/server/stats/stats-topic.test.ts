import { expect, test } from 'vitest'
import { isUpdateCommand } from './stats-topic.ts'

test.each([
  ['{"cmd":"update"}', true],
  ['{"Cmd":"update","x":1}', true],
  [' {"cmd" : "update"} ', true],
  ['{"cmd":"other"}', false],
  ['{"cmd":["update"]}', false],
  ['[]', false],
  ['null', false],
  ['"update"', false],
  ['not JSON', false],
  ['', false],
  [`{"cmd":"update","pad":"${'x'.repeat(5000)}"}`, false],
])('%j asks for a report: %s', (text, asks) => {
  expect(isUpdateCommand(Buffer.from(text))).toBe(asks)
})
