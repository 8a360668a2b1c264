import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { FakeClock } from '@relay/common/fake-clock'
import { expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { live, runInstrument } from './mqtt-fixture.ts'

const CONNECT = 1
const PUBREL = 6
const PUBREC = 5
const PUBCOMP = 7
const SUBSCRIBE = 8
const PINGREQ = 12

interface Packet {
  readonly kind: number
  readonly body: Buffer
}

/** A broker (MQTT 3.1.1) that lets everybody in and does to them what a test says. */
class HostileBroker implements AsyncDisposable {
  readonly heard: Packet[] = []
  readonly sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(server: Server, onSubscribe: (socket: Socket, id: Buffer) => void) {
    this.#server = server
    server.on('connection', (socket) => {
      this.sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.sockets.delete(socket))
      socket.on('data', (data: Buffer) => {
        for (const packet of packetsOf(data)) {
          this.heard.push(packet)
          if (packet.kind === CONNECT) socket.write(Buffer.of(0x20, 2, 0, 0))
          if (packet.kind === PINGREQ) socket.write(Buffer.of(0xd0, 0))
          if (packet.kind === SUBSCRIBE) onSubscribe(socket, packet.body.subarray(0, 2))
        }
      })
    })
  }

  static async start(onSubscribe: (socket: Socket, id: Buffer) => void): Promise<HostileBroker> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new HostileBroker(server, onSubscribe)
  }

  get address(): string {
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  count(kind: number): number {
    return this.heard.filter((packet) => packet.kind === kind).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** What an agent says here is short and comes in one piece. */
function packetsOf(data: Buffer): readonly Packet[] {
  const packets: Packet[] = []
  for (let place = 0; place + 1 < data.length; ) {
    const end = place + 2 + (data[place + 1] ?? 0)
    packets.push({ kind: (data[place] ?? 0) >> 4, body: data.subarray(place + 2, end) })
    place = end
  }
  return packets
}

const subscriptions = "subscriptions: [{ filter: 'a/#' }]"

test('a broker that answers no subscription is given up, and keeps nobody from a promise', async () => {
  await using broker = await HostileBroker.start(() => undefined)
  const clock = new FakeClock()
  await using running = runInstrument(broker.address, ["protocol: '3.1.1'", subscriptions], clock)
  const { instrument } = running
  await eventually(() => broker.count(SUBSCRIBE) === 1)
  await clock.advance(9_999)
  expect(instrument.progress.overdueMs).toBe(0)
  await clock.advance(1)
  await eventually(() => instrument.status().fault !== undefined)

  expect(instrument.status()).toMatchObject({ connects: 0, fault: { code: 'MQTT_MUTE' } })
  expect(instrument.status().fault?.message).toContain('let us in and does not answer')
  await eventually(() => broker.sockets.size === 0)
})

test('a broker that answers no subscription does not keep the agent from stopping', async () => {
  await using broker = await HostileBroker.start(() => undefined)
  const running = runInstrument(broker.address, ["protocol: '3.1.1'", subscriptions, 'connectTimeout: 10m'])
  await eventually(() => broker.count(SUBSCRIBE) === 1)

  await running.stop()

  expect(running.instrument.status()).toMatchObject({ state: 'stopped', fault: undefined })
})

test('a broker that sends what nobody asked for, by QoS 2, fills no memory and is answered in order', async () => {
  const messages = 2_000
  await using broker = await HostileBroker.start((socket, id) => {
    socket.write(Buffer.concat([Buffer.of(0x90, 3), id, Buffer.of(0)]))
    for (let number = 1; number <= messages; number++) {
      const body = Buffer.concat([Buffer.from('\0\u0003a/b'), Buffer.of(number >> 8, number & 255)])
      socket.write(Buffer.concat([Buffer.of(0x34, body.length + 100), body, Buffer.alloc(100, 'x')]))
    }
    socket.write(Buffer.of((PUBREL << 4) | 2, 2, 0, 1))
    socket.write(Buffer.from('0\u0008\0\u0003a/bend'))
  })
  await using running = runInstrument(broker.address, ["protocol: '3.1.1'", subscriptions])
  await live(running)
  await eventually(() => running.browser.heard.length > 0)
  await eventually(() => broker.count(PUBCOMP) > 0)

  expect(running.browser.heard).toEqual(['{"topic":"a/b","value":"end"}'])
  expect(running.instrument.status()).toMatchObject({ droppedMessages: messages, connects: 1 })
  expect([broker.count(PUBREC), broker.count(PUBCOMP)]).toEqual([messages, 1])
})

test('a flood of long messages is read no faster than a small board can bear, and nothing of it is lost', async () => {
  const messages = 50
  await using broker = await HostileBroker.start((socket, id) => {
    socket.write(Buffer.concat([Buffer.of(0x90, 3), id, Buffer.of(0)]))
    const head = Buffer.from([0x30, 0xa5, 0x9c, 0x01, 0, 3, ...Buffer.from('a/b')])
    for (let number = 0; number < messages; number++)
      socket.write(Buffer.concat([head, Buffer.alloc(20_000, '1')]))
  })
  const clock = new FakeClock()
  await using running = runInstrument(broker.address, ["protocol: '3.1.1'", subscriptions], clock)
  const { browser } = running
  await eventually(() => browser.heard.length >= 3)
  // Two readings of a socket at most in one slice of 10 ms.
  expect(browser.heard.length).toBeLessThanOrEqual(7)

  await eventually(() => {
    void clock.advance(10)
    return browser.heard.length === messages
  })
  expect(clock.monotonicMs()).toBeGreaterThan(100)
})
