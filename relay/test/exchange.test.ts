import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectSoon } from '../../common/test/support/expect-soon.ts'
import { rawUpgrade } from '../../common/test/support/raw-http.ts'
import { RunningRelay } from './support/running-relay.ts'

let running: RunningRelay
beforeAll(async () => {
  running = await RunningRelay.start()
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

const read = { scopes: ['read'] }
const write = { scopes: ['write'] }

/** A client frame, masked with zeros. */
function clientFrame(opcode: number, payload: Buffer, { isFinal = true } = {}): Buffer {
  const length =
    payload.length < 126
      ? Buffer.from([0x80 | payload.length])
      : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([Buffer.from([(isFinal ? 0x80 : 0) | opcode]), length, Buffer.alloc(4), payload])
}

describe('the exchange', () => {
  test('passes text and binary on to the others of the topic, and to nobody else', async () => {
    const [a, b, c, other] = await Promise.all([
      running.join('x1'),
      running.join('x1'),
      running.join('x1'),
      running.join('x1b'),
    ])
    a.send('foo')
    a.send(Buffer.from([1, 2, 255]))
    a.send('')
    a.send(Buffer.alloc(0))
    await Promise.all([b.hear(4), c.hear(4)])

    expect(b.heard.map(({ data, isBinary }) => [data.toString('hex'), isBinary])).toEqual([
      ['666f6f', false],
      ['0102ff', true],
      ['', false],
      ['', true],
    ])
    expect(c.heard).toEqual(b.heard)
    await Promise.all([a.settle(), other.settle()])
    expect(a.heard).toEqual([])
    expect(other.heard).toEqual([])
  })

  test('two connections with one token hear each other', async () => {
    const [a, b] = await Promise.all([running.join('x2'), running.join('x2')])
    a.send('from a')
    b.send('from b')

    await Promise.all([a.hear(1), b.hear(1)])

    expect([a.texts, b.texts]).toEqual([['from b'], ['from a']])
  })

  test('who may only read is not heard, and stays', async () => {
    const [reader, speaker] = await Promise.all([running.join('x3', read), running.join('x3')])
    reader.send('no')
    await reader.settle()
    await speaker.settle()
    expect(speaker.heard).toEqual([])

    speaker.send('yes')
    await reader.hear(1)

    expect(reader.texts).toEqual(['yes'])
  })

  test('who may only write hears nothing', async () => {
    const [writer, other] = await Promise.all([running.join('x4', write), running.join('x4')])
    other.send('x')
    await other.settle()
    writer.send('y')
    await other.hear(1)
    await writer.settle()

    expect(writer.heard).toEqual([])
    expect(other.texts).toEqual(['y'])
  })

  test('a burst keeps its boundaries, its order and its kinds', async () => {
    const [a, b] = await Promise.all([running.join('x5', write), running.join('x5', read)])
    for (let index = 0; index < 2000; index++) {
      a.socket.send(index % 3 === 0 ? Buffer.from(`${index};`) : `${index};`)
    }

    await b.hear(2000)

    expect(b.texts).toEqual(Array.from({ length: 2000 }, (_, index) => `${index};`))
    expect(b.heard.every(({ isBinary }, index) => isBinary === (index % 3 === 0))).toBe(true)
  })

  test('when many speak at once, everybody hears all but itself, each speaker in order', async () => {
    const names = ['a', 'b', 'c', 'd']
    const peers = await Promise.all(names.map(() => running.join('x6')))
    for (let index = 0; index < 100; index++) {
      for (const [place, peer] of peers.entries()) peer.send(`${names[place]}${index}`)
    }

    await Promise.all(peers.map((peer) => peer.hear(300)))

    await Promise.all(peers.map((peer) => peer.settle()))
    for (const [place, peer] of peers.entries()) {
      expect(peer.heard).toHaveLength(300)
      for (const name of names) {
        const heard = peer.texts.filter((text) => text.startsWith(name))
        expect(heard).toEqual(
          name === names[place] ? [] : Array.from({ length: 100 }, (_, index) => `${name}${index}`),
        )
      }
    }
  })

  test('text that is not UTF-8 passes as it is', async () => {
    const listener = await running.join('x7')
    const { socket } = await rawUpgrade(await running.address('x7'))
    socket.write(clientFrame(1, Buffer.from([0xff, 0xfe, 0x41])))

    await listener.hear(1)
    socket.destroy()

    expect(listener.heard).toEqual([{ data: Buffer.from([0xff, 0xfe, 0x41]), isBinary: false }])
  })

  test('fragments become one message, with a ping between them answered', async () => {
    const listener = await running.join('x8')
    const { socket } = await rawUpgrade(await running.address('x8'))
    const answered = once(socket, 'data')
    socket.write(
      Buffer.concat([
        clientFrame(2, Buffer.from('he'), { isFinal: false }),
        clientFrame(9, Buffer.from('?')),
        clientFrame(0, Buffer.from('ll'), { isFinal: false }),
        clientFrame(0, Buffer.from('o')),
      ]),
    )

    await listener.hear(1)
    const [pong] = (await answered) as [Buffer]
    socket.destroy()

    expect(listener.heard).toEqual([{ data: Buffer.from('hello'), isBinary: true }])
    expect(pong.subarray(0, 3)).toEqual(Buffer.from([0x8a, 1, 0x3f]))
  })

  test.each([125, 126, 4096, 4097, 8221, 65_535, 65_536, 1_048_576])(
    '%i bytes arrive whole',
    async (length) => {
      const [a, b] = await Promise.all([running.join('x9'), running.join('x9')])
      a.send(Buffer.alloc(length, 65))

      await b.hear(1)

      expect(b.heard[0]?.data.equals(Buffer.alloc(length, 65))).toBe(true)
    },
  )

  test('10 MiB pass, one byte more ends the sender with 1009 and reaches nobody', async () => {
    const [a, b] = await Promise.all([running.join('x10'), running.join('x10')])
    a.send(Buffer.alloc(10_485_760, 1))
    await b.hear(1)
    expect(b.heard[0]?.data).toHaveLength(10_485_760)

    a.send(Buffer.alloc(10_485_761, 1))

    expect([1009, 1006]).toContain((await a.end()).code)
    await b.settle()
    expect(b.heard).toHaveLength(1)
  })

  test('a close is answered with the same code and no reason', async () => {
    const viewer = await running.join('x11')
    viewer.socket.close(4001, 'bye')
    expect(await viewer.end()).toMatchObject({ code: 4001, reason: '' })

    const without = await running.join('x11')
    without.socket.close()
    expect(await without.end()).toMatchObject({ code: 1005, reason: '' })
  })

  test.each([
    ['no mask', Buffer.from('810141', 'hex')],
    ['an unknown opcode', Buffer.from('838000000000', 'hex')],
    ['a reserved bit', Buffer.from('c18000000000', 'hex')],
    ['a continuation of nothing', Buffer.from('808000000000', 'hex')],
    ['a fragmented ping', Buffer.from('098000000000', 'hex')],
    ['a close of one byte', Buffer.from('88810000000003', 'hex')],
  ])('a frame with %s ends its sender with 1002', async (_what, frame) => {
    const { socket } = await rawUpgrade(await running.address('x12'))
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.write(frame)

    await once(socket, 'close')

    const bytes = Buffer.concat(chunks)
    expect(bytes.readUInt8(0)).toBe(0x88)
    expect(bytes.readUInt16BE(2)).toBe(1002)
  })

  test('who joins hears everything that is said after its handshake', async () => {
    const speaker = await running.join('x13')
    for (let round = 0; round < 20; round++) {
      const listener = await running.join('x13', read)
      speaker.send(`round ${round}`)
      await listener.hear(1)
      expect(listener.texts).toEqual([`round ${round}`])
      listener.terminate()
    }
  })

  test('nothing is kept of a topic that everybody has left', async () => {
    const before = running.relay.exchange.topicCount
    const viewers = await Promise.all(Array.from({ length: 5 }, (_, index) => running.join(`gone ${index}`)))
    expect(running.relay.exchange.topicCount).toBe(before + 5)

    for (const viewer of viewers) viewer.socket.close()
    await Promise.all(viewers.map((viewer) => viewer.end()))

    await expectSoon(() => running.relay.exchange.topicCount).toBe(before)
  })
})
