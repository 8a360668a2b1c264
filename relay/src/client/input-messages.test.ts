import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { inputMessages } from './input-messages.ts'

async function all(chunks: readonly (string | Buffer)[], form: 'lines' | 'chunks'): Promise<unknown[]> {
  const messages: unknown[] = []
  for await (const message of inputMessages(Readable.from(chunks), form)) messages.push(message)
  return messages
}

test('lines are put together however they are cut', async () => {
  expect(await all(['{"a"', ':1}\r\n{"b"', ':2}\n', '\n', 'rest'], 'lines')).toEqual([
    '{"a":1}',
    '{"b":2}',
    '',
    'rest',
  ])
})

test('characters are not broken between chunks', async () => {
  const bytes = Buffer.from('é\n')

  expect(await all([bytes.subarray(0, 1), bytes.subarray(1)], 'lines')).toEqual(['é'])
})

test('a line without an end is sent in pieces: memory stays bounded', async () => {
  const messages = await all(['x'.repeat(1_048_577), 'y\n'], 'lines')

  expect(messages.map((message) => String(message).length)).toEqual([1_048_577, 1])
})

test('chunks are taken as they are', async () => {
  expect(await all([Buffer.from([1, 10]), Buffer.from([2])], 'chunks')).toEqual([
    Buffer.from([1, 10]),
    Buffer.from([2]),
  ])
})
