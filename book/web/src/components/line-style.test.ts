import { expect, test } from 'vitest'
import { lineStyle } from './line-style.ts'

test('no two of the signals that the page keeps look alike', () => {
  const styles = Array.from({ length: 24 }, (_, index) => JSON.stringify(lineStyle(index)))

  expect(new Set(styles).size).toBe(24)
})

test('neighbours differ in colour and in dash', () => {
  for (let index = 0; index < 11; index += 1) {
    const [one, next] = [lineStyle(index), lineStyle(index + 1)]

    expect(one.colourName).not.toBe(next.colourName)
    expect(one.dash).not.toEqual(next.dash)
  }
})
