import { expect, test } from 'vitest'
import { FeedHub, type Message } from './feed-hub.ts'
import { type DestinationRule, DestinationRules, StreamRules } from './rules.ts'

function rule(id: string, destination = 'ws://x/1'): DestinationRule {
  return { id, stream: 'video', destination, token: '', file: '' }
}

/** Writes down what is started and stopped. */
function setUp(keptIds?: ReadonlySet<string>) {
  const events: string[] = []
  const rules = new DestinationRules({
    prepare: ({ id, destination, file }) =>
      file === ''
        ? {
            ok: true,
            start: () => {
              events.push(`start ${id} ${destination}`)
              return {
                stop: () => {
                  events.push(`stop ${id} ${destination}`)
                  return Promise.resolve()
                },
              }
            },
          }
        : { ok: false, refusal: 'no files' },
    ...(keptIds === undefined ? {} : { keptIds }),
  })
  return { rules, events }
}

test('a rule of the same id replaces: the old link begins to close first', () => {
  const { rules, events } = setUp()
  rules.put(rule('0'))
  rules.put(rule('0', 'ws://x/2'))

  expect(events).toEqual(['start 0 ws://x/1', 'stop 0 ws://x/1', 'start 0 ws://x/2'])
  expect(rules.list()).toEqual([rule('0', 'ws://x/2')])
})

test('a rule that is refused leaves the one of its id as it was', () => {
  const { rules, events } = setUp()
  rules.put(rule('0'))

  const result = rules.put({ ...rule('0', 'ws://x/2'), file: '/etc/passwd' })

  expect(result).toEqual({ ok: false, refusal: 'no files' })
  expect(rules.get('0')).toEqual(rule('0'))
  expect(events).toEqual(['start 0 ws://x/1'])
})

test('the reserved id is accepted and ignored', () => {
  const { rules, events } = setUp()

  expect(rules.put(rule('deleteAll'))).toEqual({ ok: true })
  expect(rules.list()).toEqual([])
  expect(events).toEqual([])
})

test('rules are listed by id, deleting says whether there was one', () => {
  const { rules } = setUp()
  for (const id of ['b', 'a', '']) rules.put(rule(id))

  expect(rules.list().map(({ id }) => id)).toEqual(['', 'a', 'b'])
  expect(rules.delete('a')).toBe(true)
  expect(rules.delete('a')).toBe(false)
  expect(rules.get('a')).toBeUndefined()
})

test('deleting all leaves the rules of the program itself', () => {
  const { rules } = setUp(new Set(['apiRule']))
  for (const id of ['a', 'apiRule', 'b']) rules.put(rule(id))

  rules.deleteAll()

  expect(rules.list().map(({ id }) => id)).toEqual(['apiRule'])
})

test('after closing nothing runs and nothing starts', async () => {
  const { rules, events } = setUp(new Set(['apiRule']))
  rules.put(rule('apiRule'))

  await rules.close()

  expect(events.at(-1)).toBe('stop apiRule ws://x/1')
  expect(rules.put(rule('a'))).toMatchObject({ ok: false })
})

test('closing waits for links that are still closing', async () => {
  const stopping = Promise.withResolvers<void>()
  const rules = new DestinationRules({
    prepare: () => ({ ok: true, start: () => ({ stop: () => stopping.promise }) }),
  })
  rules.put(rule('a'))
  rules.delete('a')
  let isClosed = false
  const closing = rules.close().then(() => {
    isClosed = true
  })

  await Promise.resolve()
  expect(isClosed).toBe(false)
  stopping.resolve()
  await closing
})

test('a stream rule takes effect in the hub and ends with it', () => {
  const hub = new FeedHub()
  const streams = new StreamRules(hub)
  const heard: Message[] = []
  hub.join('stream/s', { name: 'a', deliver: (message) => void heard.push(message) })
  const message = { data: Buffer.of(1), binary: true }
  const source = { name: 'source', deliver: () => undefined }

  streams.put({ stream: 'stream/s', feeds: ['video'] })
  hub.publish('video', message, source)
  expect(streams.delete('stream/s')).toBe(true)
  hub.publish('video', message, source)

  expect(heard).toHaveLength(1)
  expect(streams.delete('stream/s')).toBe(false)
})

test('streams are listed by name, and all are deleted at once', () => {
  const streams = new StreamRules(new FeedHub())
  streams.put({ stream: 'stream/b', feeds: [] })
  streams.put({ stream: 'a', feeds: ['x'] })

  expect(streams.list().map(({ stream }) => stream)).toEqual(['a', 'stream/b'])
  streams.deleteAll()
  expect(streams.list()).toEqual([])
})
