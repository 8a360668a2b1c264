import { expect, test } from 'vitest'
import { goInteger, isGoTrue } from './go-value.ts'

test.each([
  ['300', 300],
  ['-5', -5],
  ['+7', 7],
  ['0', 0],
  ['-0', 0],
  ['0x1F90', 8080],
  ['017620', 8080],
  ['0o10', 8],
  ['', undefined],
  ['1.5', undefined],
  ['12h', undefined],
  ['0x', undefined],
  ['09', undefined],
])('Go reads %j as %s', (text, number) => {
  expect(goInteger(text)).toBe(number)
})

test('Go takes few words for true', () => {
  expect(['1', 't', 'T', 'TRUE', 'true', 'True'].every(isGoTrue)).toBe(true)
  expect(['yes', 'on', 'tRUE', '', undefined].some(isGoTrue)).toBe(false)
})
