import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { ChildProgram } from '../src/golden/child-program.ts'
import { FreePorts } from '../src/golden/free-ports.ts'
import { ownCommands } from '../src/golden/program-commands.ts'
import { measured } from '../src/rig/measured.ts'
import { mutate, randomBytes, seededRandom } from '../src/rig/mutated-bytes.ts'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import { throwBytes } from '../src/rig/throw-bytes.ts'
import { askForAddress } from '../src/rig/topic-peer.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_122)
const rounds = 4
const throwsPerRound = 4000
const atOnce = 16
const answerWithinMs = 400
/**
 * Whether something is kept for ever shows in the heap and not in the resident memory, which garbage and the allocator
 * fill as they like: these programs need some 25 MB of heap, so one that keeps 2 KB of each request dies of this limit.
 */
const env = { NODE_OPTIONS: '--max-old-space-size=56 --max-semi-space-size=2', MALLOC_ARENA_MAX: '2' }
/** Beyond the first round; for what is kept outside of the heap. */
const maxGrowthBytes = 64 * 1024 * 1024

/** Bytes on real ports of real processes: whatever comes, they live, answer the next honest peer, and do not grow. */
describe(`damaged and random bytes (FUZZ_SEED=${seed})`, () => {
  test('do not hurt the access API of the relay', async () => {
    await using relay = await RelayUnderTest.start(env)
    const token = await relay.token('fuzz')
    const port = Number(new URL(relay.access).port)
    const samples = [
      `POST /session/fuzz HTTP/1.1\r\nHost: a\r\nAuthorization: ${token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
      `POST /bids/deny?bid=x&exp=9999999999 HTTP/1.1\r\nHost: a\r\nAuthorization: ${token}\r\nContent-Length: 0\r\n\r\n`,
      `POST /session/fuzz HTTP/1.1\r\nHost: a\r\nAuthorization: ${token}\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      'GET /status HTTP/1.1\r\nHost: a\r\nAuthorization: a.b.c\r\nAccept: text/html;q=0.1\r\n\r\n',
      'GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n',
    ].map((text) => Buffer.from(text))
    await fuzz('access API', port, relay.program, () => samples)
    // A flood of refusals may have used up what one address is granted; a moment later it is welcome again.
    await expect
      .poll(() => askForAddress(relay.topic('fuzz'), token).then(() => 'welcome', String), {
        timeout: 20_000,
      })
      .toBe('welcome')
  })

  test('do not hurt the upgrade path and the frame parser of the relay', async () => {
    await using relay = await RelayUnderTest.start({ ...env, RELAY_ACCESS_SUBJECT_REQUESTS: '100000' })
    const token = await relay.token('fuzz')
    const port = Number(new URL(relay.target).port)
    await using listener = await relay.join('fuzz', { scopes: ['read'] })
    await fuzz('websocket port', port, relay.program, async () => {
      const address = new URL(await askForAddress(relay.topic('fuzz'), token))
      const upgrade = `GET ${address.pathname}${address.search} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
      return [Buffer.concat([Buffer.from(upgrade), frames]), Buffer.from(upgrade)]
    })
    await using witness = await relay.join('fuzz')
    witness.send('still here')
    expect((await listener.text('still here')).binary).toBe(false)
  })

  test('do not hurt the local API of the agent', async () => {
    const port = await new FreePorts().next()
    const host = new ChildProgram(ownCommands('v0.2.2', 'host'), { ...env, VW_PORT: String(port) })
    try {
      await host.whenListening([port], 20_000)
      const body = '{"stream":"video","destination":"ws://127.0.0.1:9/x","id":"0","token":""}'
      const samples = [
        `POST /api/destinations HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        'DELETE /api/destinations/all HTTP/1.1\r\nHost: localhost\r\n\r\n',
        'PUT /api/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 38\r\n\r\n{"stream":"stream/a","feeds":["video"]}',
        'POST /ts/video HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nbc\r\nG',
        'GET /ws/api HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ].map((text) =>
        Buffer.concat([Buffer.from(text), text.startsWith('GET /ws') ? frames : Buffer.alloc(0)]),
      )
      await fuzz('local API', port, host, () => samples)
      const health = await fetch(`http://localhost:${port}/healthcheck`)
      expect(await health.text()).toBe('"ok"\n')
    } finally {
      await host.stop()
    }
  })
})

/** Masked client frames with a zero key: a text, a binary one, a ping, two fragments, a close. */
const frames = Buffer.concat([
  maskedFrame(0x81, Buffer.from('{"verb":"list","what":"stream","which":"all"}')),
  maskedFrame(0x82, Buffer.alloc(300, 0x47)),
  maskedFrame(0x89, Buffer.from('ping')),
  maskedFrame(0x01, Buffer.from('half ')),
  maskedFrame(0x80, Buffer.from('whole')),
  maskedFrame(0x88, Buffer.from([0x03, 0xe8])),
])

function maskedFrame(firstByte: number, payload: Buffer): Buffer {
  const length =
    payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 255]
  return Buffer.concat([Buffer.from([firstByte, ...length, 0, 0, 0, 0]), payload])
}

type Samples = () => readonly Buffer[] | Promise<readonly Buffer[]>

async function fuzz(what: string, port: number, program: ChildProgram, samplesOf: Samples): Promise<void> {
  const random = seededRandom(seed)
  const residentBytes: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (let thrown = 0; thrown < throwsPerRound; thrown += atOnce) {
      const samples = await samplesOf()
      const missiles = Array.from({ length: atOnce }, () => missile(samples, random))
      await Promise.all(missiles.map((bytes) => throwBytes(port, bytes, answerWithinMs)))
    }
    if (program.exit !== undefined) throw new Error(`it died of it: ${program.describe()}`)
    residentBytes.push(await residentOf(program.pid))
  }
  const [first = 0] = residentBytes
  const growth = (residentBytes.at(-1) ?? 0) - first
  measured(
    `fuzz of the ${what}`,
    `${residentBytes.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(', ')} MiB resident`,
  )
  expect(growth).toBeLessThan(maxGrowthBytes)
}

function missile(samples: readonly Buffer[], random: () => number): Buffer {
  const sample = samples[Math.floor(random() * samples.length)]
  if (sample === undefined || random() < 0.1) return randomBytes(Math.floor(random() * 600), random)
  return mutate(sample, random)
}

async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}
