import { expect, test } from 'vitest'
import { judgeMethod } from './update-method.ts'

test.each([
  ['UPDATE /x', 1, 'update'],
  ['PDATE /x', 0, 'update'],
  ['abcUPDATE /x', 4, 'update'],
  ['UP', 1, 'unfinished'],
  ['UPDATE', 1, 'unfinished'],
  ['UPDATES /x', 1, 'other'],
  ['UPLOAD /x', 1, 'other'],
  ['FPDATE /x', 1, 'other'],
  ['FOO /x', 1, 'other'],
  ['', 0, 'other'],
] as const)('%j, not parsed from %i on, is %s', (packet, failedAt, verdict) => {
  expect(judgeMethod(Buffer.from(packet), failedAt)).toBe(verdict)
})
