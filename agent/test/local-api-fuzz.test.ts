import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LocalApiFixture, runCommand } from './local-api-fixture.ts'

const seed = 20_260_101
const rule = '{"stream":"video","destination":"https://a/session/x","id":"0","token":"a.b.c"}'

const handshake =
  'GET /ws/data HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'

/** Requests that are right, to be spoilt. */
const rightRequests: readonly Buffer[] = [
  `GET /healthcheck HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  `POST /api/destinations HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${rule.length}\r\n\r\n${rule}`,
  `UPDATE /api/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}UPDATE /api/streams HTTP/1.1\r\n\r\n`,
  `DELETE /api/destinations/all HTTP/1.1\r\nHost: localhost\r\n\r\nGET /api/destinations/all HTTP/1.1\r\nHost: a\r\n\r\n`,
  `POST /ts/video HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  handshake,
].map((text) => Buffer.from(text, 'latin1'))

const frames = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => Buffer.concat([Buffer.from(handshake), bytes]))
const packets = fc.uint8Array({ maxLength: 2_000 }).map((bytes) => {
  const body = Buffer.from(bytes)
  for (let i = 0; i < body.length; i += 188) body[i] = 0x47
  const head = `POST /ts/video HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
})

interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: Uint8Array
}

const edit = fc.record({
  at: fc.nat(400),
  remove: fc.nat(8),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc
      .constantFrom('\r\n', '\r\n\r\n', 'UPDATE ', 'UP', ' HTTP/1.1', '%zz', '{', '"', '0\r\n\r\n', '\0')
      .map((text) => Buffer.from(text)),
  ),
})

const spoilt = fc
  .tuple(fc.constantFrom(...rightRequests), fc.array(edit, { maxLength: 4 }))
  .map(([right, edits]) => edits.reduce<Buffer>((bytes, one) => applyEdit(bytes, one), right))

function applyEdit(bytes: Buffer, { at, remove, insert }: Edit): Buffer {
  const where = Math.min(at, bytes.length)
  return Buffer.concat([bytes.subarray(0, where), insert, bytes.subarray(where + remove)])
}

const anything = fc.oneof(
  { weight: 5, arbitrary: spoilt },
  { weight: 2, arbitrary: frames },
  { weight: 2, arbitrary: packets },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
)

/** Cuts the bytes into segments, so that the parser is left in every place. */
async function sendInPieces(
  api: LocalApiFixture,
  bytes: Buffer,
  pieceBytes: number,
  ends: boolean,
): Promise<void> {
  const connection = await api.connect()
  connection.socket.setNoDelay(true)
  for (let at = 0; at < bytes.length && connection.socket.writable; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes)
    await new Promise((resolve) => connection.socket.write(piece, resolve))
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (ends) {
    connection.socket.end()
    await connection.closed
  } else {
    connection.socket.destroy()
  }
}

test('random and spoilt bytes crash nothing, hang nothing and leave nothing behind', {
  timeout: 120_000,
}, async () => {
  const limits = {
    headersTimeoutMs: 1_000,
    bodyTimeoutMs: 500,
    keepAliveTimeoutMs: 500,
    pingEveryMs: 200,
    pongWithinMs: 1_000,
  }
  await using api = await LocalApiFixture.open({ options: { limits } })
  const [good, listener] = [await api.dial('untouched'), api.listen('untouched')]
  const heapBytes: number[] = []

  for (const round of [0, 1, 2]) {
    await fc.assert(
      fc.asyncProperty(
        anything,
        fc.integer({ min: 1, max: 400 }),
        fc.boolean(),
        async (bytes, pieceBytes, ends) => {
          await sendInPieces(api, bytes, pieceBytes, ends)
        },
      ),
      { seed: seed + round, numRuns: 250 },
    )
    await expect.poll(() => api.api.status.connections, { timeout: 20_000 }).toBe(1)
    heapBytes.push(process.memoryUsage().heapUsed)
  }

  good.socket.send('still served')
  await listener.count(1)
  const { stdout } = await runCommand('curl', ['-s', `${api.url}/healthcheck`])
  expect(stdout).toBe('"ok"\n')
  expect(api.api.status.uploads).toEqual([])
  expect(api.api.status.clients).toHaveLength(1)
  // Between rounds of the same kind the heap may breathe, not grow without end.
  expect((heapBytes[2] ?? 0) - (heapBytes[0] ?? 0)).toBeLessThan(40 * 1024 * 1024)
})

test('random commands on the feed api are all answered', { timeout: 60_000 }, async () => {
  await using api = await LocalApiFixture.open()
  const peer = await api.dial('api')
  const command = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.json({ maxDepth: 2 }),
    fc
      .record({
        verb: fc.constantFrom('add', 'list', 'delete', 'x'),
        what: fc.constantFrom('destination', 'stream', 'x'),
        which: fc.constantFrom('all', 'a', ''),
        rule: fc.jsonValue({ maxDepth: 2 }),
      })
      .map((value) => JSON.stringify(value)),
  )
  await fc.assert(
    fc.asyncProperty(command, async (text) => {
      const answer = await peer.ask(text)
      expect(typeof JSON.parse(answer)).toBe('object')
    }),
    { seed, numRuns: 500 },
  )
})
