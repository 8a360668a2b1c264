import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { FreePorts } from '../src/golden/free-ports.ts'
import type { WebsocketPeer } from '../src/golden/websocket-peer.ts'
import { mutate, randomBytes, seededRandom } from '../src/rig/mutated-bytes.ts'
import { until } from '../src/rig/until.ts'
import { EchoSshd } from '../src/shell/echo-sshd.ts'
import { postForUri } from '../src/shell/old/go-dialler.ts'
import {
  type AnyShellRelay,
  ShellRelayProgram,
  startClient,
  startHost,
  tokenAt,
} from '../src/shell/shell-programs.ts'
import { TunnelTalk } from '../src/shell/tunnel-talk.ts'
import { ScriptedShellRelay } from '../src/shell-golden/scripted-shell-relay.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_122)
const tunnel = 'relay-tunnel.1'
const slowMs = 240_000
const patienceMs = 60_000
/** Who asked and then gave up is not waited for. */
const dialWithinMs = 1_500
const calmMs = 500
const sessions = 120
const messagesEach = 12
const id = 'pend00'
const session = 'AAAAAAAAAAAAAAAAAAAAAA'
/** What may come on a link; most of what is sent is one of these, damaged. */
const linkTexts = [
  `{"type":"open","session":"${session}","resume":false,"received":0,"window":4194304}`,
  `{"type":"open","session":"${session}","resume":true,"received":70,"window":1}`,
  '{"type":"opened","received":0,"window":4194304}',
  '{"type":"opened","received":9007199254740993,"window":-1}',
  '{"type":"refused","code":"SSHD_UNREACHABLE","message":"no"}',
  '{"type":"paired","peer":"tunnel"}',
  '{"type":"waiting","reason":"host-offline","lastSeen":null}',
  '{"type":"fin","at":0}',
  '{"type":"fin","at":1e308}',
  '{"type":"reset","code":"X","message":"\\u0000\\u001b[2J"}',
  'a0',
  'a99999999999999999999',
  'a-1',
  '{"type":"__proto__","__proto__":{"received":1}}',
  `{"type":"open","session":"${'A'.repeat(17_000)}"}`,
  '[[[[[[[[[[',
]

/** Real programs, real sockets: whatever one end says, the others live and serve the next honest one. */
describe(`damaged control messages (FUZZ_SEED=${String(seed)})`, () => {
  const stack = new AsyncDisposableStack()
  let sshd: EchoSshd

  beforeAll(async () => {
    sshd = stack.use(await EchoSshd.start())
  })
  afterAll(() => stack.disposeAsync())

  test('do not hurt a host', { timeout: slowMs }, async () => {
    const fake = await scriptedRelay()
    await using _fake = { [Symbol.asyncDispose]: () => fake.relay.stop() }
    await using host = startHost({ relay: fake.access, id, sshdPort: sshd.port, env: unlimited })
    const random = seededRandom(seed)
    const manager = await hostManager(fake)
    const connect = (name: string): string =>
      `{"action":"connect","uri":"${fake.ws}/shell/${id}/${name}?code=k","uuid":"${name}","peer":"tunnel","token":"${'0'.repeat(32)}"}`

    for (let round = 0; round < sessions; round += 1) {
      manager.send({
        type: 'text',
        data: damaged([connect('x'), connect(''), '{"action":"disconnect"}'], random),
      })
      manager.send({ type: 'text', data: Buffer.from(connect(`c${String(round)}`)) })
      const link = await take(fake, `GET /shell/${id}/c${String(round)}?code=k`)
      link.send({ type: 'text', data: Buffer.from('{"type":"paired","peer":"tunnel"}') })
      if (random() < 0.7) link.send({ type: 'text', data: Buffer.from(linkTexts[0] ?? '') })
      sendDamaged(link, random)
      link.terminate()
    }

    manager.send({ type: 'text', data: Buffer.from(connect('honest')) })
    const link = await take(fake, `GET /shell/${id}/honest?code=k`)
    const open = `{"type":"open","session":"${randomSession(random)}","resume":false,"received":0,"window":4194304}`
    for (const text of ['{"type":"paired","peer":"tunnel"}', open])
      link.send({ type: 'text', data: Buffer.from(text) })
    await bannerOf(link)
    expect(host.program.exit).toBeUndefined()
  })

  test('do not hurt a client', { timeout: slowMs }, async () => {
    const fake = await scriptedRelay()
    await using _fake = { [Symbol.asyncDispose]: () => fake.relay.stop() }
    await using client = await startClient({
      relay: fake.access,
      id,
      env: { SHELL_CLIENT_RESUME_WITHIN: '1s' },
    })
    const random = seededRandom(seed + 1)

    for (let round = 0; round < sessions; round += 1) {
      using _talk = await TunnelTalk.open(client.port)
      const link = await clientLink(fake)
      if (random() < 0.7) link.send({ type: 'text', data: Buffer.from('{"type":"paired","peer":"tunnel"}') })
      if (random() < 0.7) link.send({ type: 'text', data: Buffer.from(linkTexts[2] ?? '') })
      sendDamaged(link, random)
      link.terminate()
    }

    await until('an honest session runs', () => honestSession(fake, client.port), { withinMs: patienceMs })
    expect(client.program.exit).toBeUndefined()
  })

  test('do not hurt a relay, nor the sessions of others', { timeout: slowMs }, async () => {
    await using relay = await ShellRelayProgram.start({ env: unlimited })
    await using _host = startHost({ relay, id, sshdPort: sshd.port })
    await using client = await startClient({ relay, id })
    using talk = await until('an honest session runs', () => TunnelTalk.open(client.port))
    await talk.read(EchoSshd.banner.length)
    const random = seededRandom(seed + 2)

    for (let round = 0; round < sessions / 4; round += 1) {
      const [manager, other, stats] = await Promise.all([
        dial(relay, 'fuzz', 'host'),
        dial(relay, 'fuzz', 'client'),
        dial(relay, 'stats', 'stats'),
      ])
      for (const socket of [manager, other, stats]) {
        for (let count = 0; count < messagesEach; count += 1)
          socket.send(damaged([...relayTexts, ...linkTexts], random), { binary: random() < 0.3 })
      }
      await talk.echo({ blocks: 1, blockBytes: 100_000, seed: round })
      for (const socket of [manager, other, stats]) socket.terminate()
    }
    expect(relay.program.exit).toBeUndefined()
    expect(talk.ended).toBeUndefined()
  })
})

const relayTexts = [
  '{"type":"host-keys","keys":["ssh-ed25519 AAAA"],"signed":"a.b.c"}',
  `{"type":"host-keys","keys":["${'k'.repeat(16_000)}"]}`,
  '{"type":"host-keys","keys":{}}',
  '{"cmd":"update"}',
]

/** One address may ask as often as the test does. */
const unlimited = {
  SHELLRELAY_ACCESS_SUBJECT_REQUESTS: '100000',
  SHELL_HOST_LIMITS_SESSIONS_PER_SECOND: '10000',
}

interface Fake {
  readonly relay: ScriptedShellRelay
  readonly ws: string
  readonly access: AnyShellRelay
  /** Addresses given out so far. */
  links: number
}

async function scriptedRelay(): Promise<Fake> {
  const port = await new FreePorts().next()
  const relay = new ScriptedShellRelay()
  await relay.start(port)
  const audience = `http://127.0.0.1:${String(port)}`
  return {
    relay,
    links: 0,
    ws: `ws://127.0.0.1:${String(port)}`,
    access: { secret: 's', audience, prefix: 'shell', accessOf: (name) => `${audience}/shell/${name}` },
  }
}

async function hostManager(fake: Fake): Promise<WebsocketPeer> {
  const asked = await fake.relay.take(`POST /shell/${id}`, patienceMs)
  asked?.answer(200, `{"uri":"${fake.ws}/shell/${id}?code=m"}`)
  return await take(fake, `GET /shell/${id}?code=m`)
}

/** The next link that a client dials. One that asked for an address may have given up before it uses it. */
async function clientLink(fake: Fake, withinMs = patienceMs): Promise<WebsocketPeer> {
  const giveUpAtMs = performance.now() + withinMs
  while (performance.now() < giveUpAtMs) {
    const asked = await fake.relay.take(`POST /shell/${id}`, withinMs)
    if (asked === undefined || asked.isGone()) continue
    fake.links += 1
    asked.answer(200, `{"uri":"${fake.ws}/shell/${id}/c${String(fake.links)}?code=k"}`)
    const held = await fake.relay.take(`GET /shell/${id}/c${String(fake.links)}?code=k`, dialWithinMs)
    if (held !== undefined) return held.upgrade(tunnel)
  }
  throw new Error('no client dialled')
}

async function take(fake: Fake, request: string): Promise<WebsocketPeer> {
  const held = await fake.relay.take(request, patienceMs)
  if (held === undefined) throw new Error(`nobody asked for ${request}`)
  return held.upgrade(tunnel)
}

/** What earlier sessions still ask for is refused, which ends them. One may come in between: then it is tried again. */
async function honestSession(fake: Fake, port: number): Promise<boolean> {
  for (;;) {
    const stale = await fake.relay.take(`POST /shell/${id}`, calmMs)
    if (stale === undefined) break
    stale.answer(401, '{"code":401,"message":"unauthenticated for invalid credentials"}')
  }
  using talk = await TunnelTalk.open(port)
  const link = await clientLink(fake, dialWithinMs)
  for (const text of ['{"type":"paired","peer":"tunnel"}', linkTexts[2] ?? ''])
    link.send({ type: 'text', data: Buffer.from(text) })
  link.send({ type: 'binary', data: EchoSshd.banner })
  const banner = await talk.read(EchoSshd.banner.length, dialWithinMs)
  return banner.equals(EchoSshd.banner)
}

async function bannerOf(link: WebsocketPeer): Promise<void> {
  for (;;) {
    const message = await link.messages.take(patienceMs)
    if (message === undefined) throw new Error('no banner came')
    if (message.type === 'binary' && message.data.includes(EchoSshd.banner)) return
  }
}

async function dial(
  relay: ShellRelayProgram,
  name: string,
  scope: 'host' | 'client' | 'stats',
): Promise<WebSocket> {
  const never = new AbortController().signal
  const uri = await postForUri(relay.accessOf(name), tokenAt(relay, name, scope), never)
  const socket = new WebSocket(uri, tunnel, { perMessageDeflate: false })
  socket.on('error', () => {})
  await until('it is open', () => socket.readyState >= WebSocket.OPEN)
  return socket
}

function sendDamaged(link: WebsocketPeer, random: () => number): void {
  for (let count = 0; count < messagesEach; count += 1) {
    const type = random() < 0.25 ? 'binary' : 'text'
    link.send({ type, data: damaged(linkTexts, random) })
  }
}

function damaged(samples: readonly string[], random: () => number): Buffer {
  const sample = samples[Math.floor(random() * samples.length)] ?? ''
  if (random() < 0.1) return randomBytes(Math.floor(random() * 300), random)
  return random() < 0.3 ? Buffer.from(sample) : mutate(Buffer.from(sample), random)
}

function randomSession(random: () => number): string {
  return randomBytes(16, random).toString('base64url')
}
