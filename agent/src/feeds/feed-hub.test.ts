import { expect, test } from 'vitest'
import { FeedHub, type Member, type Message } from './feed-hub.ts'

class Listener implements Member {
  readonly name: string
  readonly heard: string[] = []

  constructor(name: string) {
    this.name = name
  }

  deliver({ data }: Message): void {
    this.heard.push(data.toString())
  }
}

const source = new Listener('source')

function say(hub: FeedHub, feed: string, text: string, from: Member = source): void {
  hub.publish(feed, { data: Buffer.from(text), binary: false }, from)
}

test('a message goes to all members of its feed and to no other feed', () => {
  const hub = new FeedHub()
  const [a, b, other] = [new Listener('a'), new Listener('b'), new Listener('c')]
  hub.join('data', a)
  hub.join('data', b)
  hub.join('video', other)

  say(hub, 'data', 'hello')

  expect([a.heard, b.heard, other.heard]).toEqual([['hello'], ['hello'], []])
})

test('a message comes back to nobody of the name of its sender', () => {
  const hub = new FeedHub()
  const [sender, twin, other] = [new Listener('x'), new Listener('x'), new Listener('y')]
  for (const member of [sender, twin, other]) hub.join('data', member)

  say(hub, 'data', 'hello', sender)

  expect([sender.heard, twin.heard, other.heard]).toEqual([[], [], ['hello']])
})

test('the message is handed on as it is, not copied', () => {
  const hub = new FeedHub()
  const heard: Message[] = []
  hub.join('video', { name: 'a', deliver: (message) => void heard.push(message) })
  const message = { data: Buffer.of(1), binary: true }

  hub.publish('video', message, source)

  expect(heard[0]).toBe(message)
})

test('whoever left hears no more, and an empty feed is forgotten', () => {
  const hub = new FeedHub()
  const a = new Listener('a')
  const leave = hub.join('data', a)

  leave()
  leave()
  say(hub, 'data', 'hello')

  expect(a.heard).toEqual([])
  expect(hub.memberCount('data')).toBe(0)
})

test('a stream gathers feeds, a change of its list holds at once', () => {
  const hub = new FeedHub()
  const a = new Listener('a')
  hub.join('stream/s', a)
  hub.setStream('stream/s', ['video', 'audio'])

  say(hub, 'video', 'v1')
  say(hub, 'audio', 'a1')
  hub.setStream('stream/s', ['video'])
  say(hub, 'audio', 'a2')
  say(hub, 'video', 'v2')
  hub.deleteStream('stream/s')
  say(hub, 'video', 'v3')

  expect(a.heard).toEqual(['v1', 'a1', 'v2'])
})

test('a feed that stands twice in a stream is heard once', () => {
  const hub = new FeedHub()
  const a = new Listener('a')
  hub.join('stream/s', a)
  hub.setStream('stream/s', ['video', 'video'])

  say(hub, 'video', 'v1')

  expect(a.heard).toEqual(['v1'])
})

test('what is sent to a stream goes nowhere', () => {
  const hub = new FeedHub()
  const [a, b] = [new Listener('a'), new Listener('b')]
  hub.join('stream/s', a)
  hub.join('video', b)
  hub.setStream('stream/s', ['video'])

  say(hub, 'stream/s', 'down')

  expect([a.heard, b.heard]).toEqual([[], []])
})

test('a stream whose name lacks the prefix has no effect', () => {
  const hub = new FeedHub()
  const a = new Listener('a')
  hub.join('s', a)
  hub.setStream('s', ['video'])

  say(hub, 'video', 'v1')

  expect(a.heard).toEqual([])
})

test('a member that throws is told of and harms no other', () => {
  const faults: string[] = []
  const hub = new FeedHub(({ member }) => void faults.push(member))
  const b = new Listener('b')
  hub.join('data', {
    name: 'a',
    deliver: () => {
      throw new Error('broken')
    },
  })
  hub.join('data', b)

  say(hub, 'data', 'hello')

  expect(faults).toEqual(['a'])
  expect(b.heard).toEqual(['hello'])
})

test('who comes is announced to the others of the feed, and of each feed of a stream', () => {
  const hub = new FeedHub()
  const greeted: string[] = []
  const member = (name: string): Member => ({
    name,
    deliver: () => undefined,
    greet: () => void greeted.push(name),
  })
  const [board, other, newcomer] = [member('board'), member('other'), member('newcomer')]
  hub.join('data', board)
  hub.join('data', new Listener('deaf'))
  hub.join('data', newcomer)
  hub.join('video', other)

  hub.announce('data', newcomer)
  expect(greeted).toEqual(['board'])
  hub.setStream('stream/all', ['data', 'video'])
  hub.announce('stream/all', newcomer)
  expect(greeted).toEqual(['board', 'board', 'other'])
  hub.announce('nobody', newcomer)
  hub.announce('stream/none', newcomer)
  expect(greeted).toHaveLength(3)
})
