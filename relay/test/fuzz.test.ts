import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectSoon } from '../../common/test/support/expect-soon.ts'
import { handshake, rawExchange, rawUpgrade } from '../../common/test/support/raw-http.ts'
import { RunningRelay } from './support/running-relay.ts'
import { claimsFor, mint } from './support/tokens.ts'
import type { Viewer } from './support/viewer.ts'

/** The same inputs in every run. */
const seed = 20_261_122
const numRuns = 150

let running: RunningRelay
let speaker: Viewer
let listener: Viewer
let said = 0
beforeAll(async () => {
  running = await RunningRelay.start({
    settings: {
      ACCESS_ADDRESS_REQUESTS: '1000000',
      ACCESS_REFUSED_REQUESTS: '1000000',
      ACCESS_SUBJECT_REQUESTS: '1000000',
    },
  })
  ;[speaker, listener] = [await running.join('witness'), await running.join('witness')]
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
})

/** The relay still serves others: a message passes, a code can be had, nothing of the attack is left. */
async function expectUnharmed(): Promise<void> {
  speaker.send(`still here ${said}`)
  said += 1
  await listener.hear(said)
  expect(listener.texts.at(-1)).toBe(`still here ${said - 1}`)
  expect((await running.post('t', mint(claimsFor('t')))).status).toBe(200)
}

/** Changes some bytes of a good input: flipped, left out, doubled, or put in. */
function mutated(good: Buffer) {
  const change = fc.record({
    at: fc.nat(Math.max(0, good.length - 1)),
    byte: fc.nat(255),
    kind: fc.constantFrom('set', 'delete', 'insert', 'repeat', 'cut'),
  })
  return fc.array(change, { minLength: 1, maxLength: 8 }).map((changes) => {
    let bytes = Buffer.from(good)
    for (const { at, byte, kind } of changes) {
      const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
      if (kind === 'set') bytes = Buffer.concat([before, Buffer.from([byte]), after.subarray(1)])
      else if (kind === 'delete') bytes = Buffer.concat([before, after.subarray(1)])
      else if (kind === 'insert') bytes = Buffer.concat([before, Buffer.from([byte]), after])
      else if (kind === 'repeat') bytes = Buffer.concat([before, after.subarray(0, 20), after])
      else bytes = before
    }
    return bytes
  })
}

const randomBytes = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))

/** Sends bytes and the end of the input; gives what came. Never takes longer than the relay allows a slow peer. */
async function feed(port: number, bytes: Buffer): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  socket.end(bytes)
  await new Promise((resolve) => {
    socket.once('close', resolve)
  })
  return text
}

/** Every answer is one that we write: never a framework's own, never none of HTTP. */
function expectOwnAnswer(text: string): void {
  expect(text).not.toMatch(/FST_|statusCode|"error":|at .*\.ts:\d/)
  expect(text).toMatch(/^(HTTP\/1\.1 [1-5]\d\d |$)/)
}

describe('the access API', () => {
  const request = (): Buffer =>
    Buffer.from(
      `POST /session/t?x=%20 HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${mint(claimsFor('t'))}\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    )

  test('survives random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(randomBytes, async (bytes) =>
        expectOwnAnswer(await feed(running.ports.access, bytes)),
      ),
      { seed, numRuns },
    )
    await expectUnharmed()
  })

  test('survives requests that are nearly right', async () => {
    await fc.assert(
      fc.asyncProperty(mutated(request()), async (bytes) =>
        expectOwnAnswer(await feed(running.ports.access, bytes)),
      ),
      { seed, numRuns },
    )
    await expectUnharmed()
  })

  test('answers any path, method, query and header with 4xx, never with 5xx', async () => {
    const word = fc
      .string({ unit: 'grapheme-ascii', maxLength: 30 })
      .map((text) => text.replaceAll(/[^\x21-\x7e]/g, '_'))
    const target = fc.oneof(
      word.map((text) => `/${text}`),
      word.map((text) => `/session/${text}`),
      word.map((text) => `/bids/deny?bid=${text}&exp=${text}`),
    )
    const method = fc.constantFrom(
      'GET',
      'POST',
      'PUT',
      'DELETE',
      'OPTIONS',
      'HEAD',
      'PATCH',
      'TRACE',
      'PROPFIND',
    )
    await fc.assert(
      fc.asyncProperty(method, target, word, word, async (verb, path, authorization, accept) => {
        const bytes = `${verb} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nAccept: ${accept}\r\nConnection: close\r\n\r\n`
        const text = await rawExchange(running.ports.access, bytes)
        expectOwnAnswer(text)
        expect(text).toMatch(/^HTTP\/1\.1 [24]\d\d /)
      }),
      { seed, numRuns },
    )
    await expectUnharmed()
  })

  test('survives any claims', async () => {
    const claims = fc.dictionary(
      fc.constantFrom(
        'topic',
        'prefix',
        'scopes',
        'aud',
        'exp',
        'iat',
        'nbf',
        'booking_id',
        'sub',
        '__proto__',
      ),
      fc.jsonValue({ maxDepth: 2 }),
    )
    await fc.assert(
      fc.asyncProperty(claims, async (some) => {
        const response = await running.post('t', mint({ ...claimsFor('t'), ...some }))
        expect([200, 400, 401]).toContain(response.status)
        expectOwnAnswer(`HTTP/1.1 ${response.status} ${await response.text()}`)
      }),
      { seed, numRuns },
    )
    await expectUnharmed()
  })
})

describe('the websocket port', () => {
  test('survives random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(randomBytes, async (bytes) => expectOwnAnswer(await feed(running.ports.relay, bytes))),
      { seed, numRuns },
    )
    await expectUnharmed()
  })

  test('survives handshakes that are nearly right', async () => {
    const good = Buffer.from(handshake('/session/t?code=00000000-0000-4000-8000-000000000000'))
    await fc.assert(
      fc.asyncProperty(mutated(good), async (bytes) => {
        const text = await feed(running.ports.relay, bytes)
        expectOwnAnswer(text)
        expect(text).not.toMatch(/^HTTP\/1\.1 (101|5\d\d)/)
      }),
      { seed, numRuns },
    )
    await expectUnharmed()
  })

  test('survives frames that are random or nearly right, and keeps nothing of their senders', async () => {
    const goodFrames = Buffer.concat([
      Buffer.from('818568656c6c0d000000036d', 'hex'),
      Buffer.from('0182000000004142', 'hex'),
      Buffer.from('8980000000008082000000004344', 'hex'),
      Buffer.from('82fe00800000000', 'hex'),
      Buffer.alloc(128),
      Buffer.from('8882000000000fa1', 'hex'),
    ])
    await fc.assert(
      fc.asyncProperty(fc.oneof(randomBytes, mutated(goodFrames)), async (bytes) => {
        const { socket } = await rawUpgrade(await running.address('fuzz'))
        socket.resume()
        socket.end(bytes)
        await new Promise((resolve) => {
          if (socket.destroyed) resolve(undefined)
          else socket.once('close', resolve)
        })
      }),
      { seed, numRuns },
    )
    await expectUnharmed()
    await expectSoon(() => running.relay.exchange.connections.size).toBe(2)
    await expectSoon(() => running.relay.exchange.topicCount).toBe(1)
  })

  test('memory does not grow with attacks', async () => {
    const attack = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const { socket } = await rawUpgrade(await running.address('fuzz'))
        // Half a message of 10 MiB that never goes on, and the end.
        socket.write(
          Buffer.concat([Buffer.from('82ff0000000000a0000000000000', 'hex'), Buffer.alloc(100_000)]),
        )
        socket.destroy()
        await feed(running.ports.access, Buffer.from(`GET /${'x'.repeat(2000)} HTTP/1.1\r\nHost: x\r\n\r\n`))
      }
    }
    await attack(50)
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const heapUsed = (): number => {
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = heapUsed()

    await attack(150)

    expect(heapUsed() - before).toBeLessThan(8 * 1_048_576)
    await expectUnharmed()
  })
})
