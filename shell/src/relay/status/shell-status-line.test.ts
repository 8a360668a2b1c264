import { expect, test } from 'vitest'
import { shellStatusLine } from './shell-status-line.ts'

const figures = { hosts: 0, sessions: 0, connections: 0, codes: 0, isDraining: false }

test.each([
  [{}, '0 hosts, 0 sessions'],
  [{ hosts: 1, sessions: 2, connections: 5 }, '1 host, 2 sessions'],
  [{ hosts: 2, codes: 1 }, '2 hosts, 0 sessions, 1 address not used yet'],
  [{ isDraining: true, connections: 3 }, 'draining: 3 connections left'],
])('%j reads %s', (more, line) => {
  expect(shellStatusLine({ ...figures, ...more })).toBe(line)
})
