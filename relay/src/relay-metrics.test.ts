import { expect, test } from 'vitest'
import { topicClass } from './relay-metrics.ts'

test.each([
  ['spin30-video', 'video'],
  ['spin30-data', 'data'],
  ['stats', 'stats'],
  ['anything', 'other'],
  ['video', 'other'],
])('the topic %s is counted as %s', (topic, kind) => {
  expect(topicClass(topic)).toBe(kind)
})
