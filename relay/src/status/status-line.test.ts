import { expect, test } from 'vitest'
import { relayStatusLine } from './status-line.ts'

const idle = { connections: 0, topics: 0, codes: 0, isDraining: false }

test.each([
  [idle, '0 connections on 0 topics'],
  [{ ...idle, connections: 1, topics: 1, codes: 1 }, '1 connection on 1 topic, 1 address not used yet'],
  [{ ...idle, connections: 12, topics: 5, codes: 3 }, '12 connections on 5 topics, 3 addresses not used yet'],
  [{ ...idle, connections: 12, topics: 5, isDraining: true }, 'draining: 12 connections left'],
])('%j is told as "%s"', (figures, expected) => {
  expect(relayStatusLine(figures)).toBe(expected)
})
