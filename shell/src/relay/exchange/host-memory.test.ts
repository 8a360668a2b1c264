import { expect, test } from 'vitest'
import { HostMemory } from './host-memory.ts'

const keys = { keys: ['ssh-ed25519 AAAA'], signed: undefined, since: '2026-01-02T03:04:05.000Z' }

test('keys and last presence are remembered per id', () => {
  const memory = new HostMemory(10)
  memory.noteKeys('one', keys)
  memory.noteSeen('one', 5)
  memory.noteSeen('two', 6)
  expect([memory.keysOf('one'), memory.lastSeenMsOf('one')]).toEqual([keys, 5])
  expect([memory.keysOf('two'), memory.lastSeenMsOf('two')]).toEqual([undefined, 6])
})

test('the host that changed longest ago is forgotten first', () => {
  const memory = new HostMemory(2)
  memory.noteSeen('one', 1)
  memory.noteSeen('two', 2)
  memory.noteSeen('one', 3)
  memory.noteSeen('three', 4)
  expect(['one', 'two', 'three'].map((id) => memory.lastSeenMsOf(id))).toEqual([3, undefined, 4])
  expect(memory.size).toBe(2)
})
