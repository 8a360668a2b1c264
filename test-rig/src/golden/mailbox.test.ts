import { expect, test } from 'vitest'
import { Mailbox } from './mailbox.ts'

test('items are taken in the order they came', async () => {
  const mailbox = new Mailbox<number>()
  mailbox.put(1)
  mailbox.put(2)

  expect(await mailbox.take(0)).toBe(1)
  expect(await mailbox.take(0)).toBe(2)
})

test('whoever waits gets the next item, and one who gave up does not', async () => {
  const mailbox = new Mailbox<string>()

  expect(await mailbox.take(1)).toBeUndefined()
  const waiting = mailbox.take(60_000)
  mailbox.put('for the second')

  expect(await waiting).toBe('for the second')
  expect(mailbox.size).toBe(0)
})

test('draining takes what is there', () => {
  const mailbox = new Mailbox<string>()
  mailbox.put('a')

  expect(mailbox.drain()).toStrictEqual(['a'])
  expect(mailbox.drain()).toStrictEqual([])
})
