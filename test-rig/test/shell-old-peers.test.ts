import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../src/rig/until.ts'
import { EchoSshd } from '../src/shell/echo-sshd.ts'
import { OldClient } from '../src/shell/old/old-client.ts'
import { OldHost } from '../src/shell/old/old-host.ts'
import { OldRelay } from '../src/shell/old/old-relay.ts'
import {
  type AnyShellRelay,
  ShellRelayProgram,
  startClient,
  startHost,
  tokenAt,
} from '../src/shell/shell-programs.ts'
import { TunnelTalk } from '../src/shell/tunnel-talk.ts'

type Make = 'ours' | 'v0.2.2' | 'jump'
const makes: readonly Make[] = ['ours', 'v0.2.2', 'jump']
const mixes = makes.flatMap((relay) =>
  makes.flatMap((host) => makes.map((client) => ({ relay, host, client }))),
)
const secret = 'the secret of all relays here'
/** What two old ends of 1 MiB a message lose of larger bursts is theirs to lose; a newer relay takes 65,535 bytes. */
const blockBytesAt = (relay: Make): number => (relay === 'jump' ? 60_000 : 500_000)

describe('programs of three generations get through to each other unharmed', () => {
  const stack = new AsyncDisposableStack()
  const relays = new Map<Make, AnyShellRelay>()
  let sshd: EchoSshd

  beforeAll(async () => {
    sshd = stack.use(await EchoSshd.start())
    relays.set('ours', stack.use(await ShellRelayProgram.start({ secret })))
    for (const generation of ['v0.2.2', 'jump'] as const)
      relays.set(generation, stack.use(await OldRelay.start({ generation, secret })))
    for (const [make, relay] of relays) for (const host of makes) startHostOf(host, relay, `${make}-${host}`)
  })
  afterAll(() => stack.disposeAsync())

  function startHostOf(make: Make, relay: AnyShellRelay, name: string): void {
    const id = idOf(name)
    if (make === 'ours') {
      stack.use(startHost({ relay, id, sshdPort: sshd.port }))
      return
    }
    const options = { generation: make, access: relay.accessOf(id), token: tokenAt(relay, id, 'host') }
    const host = stack.use(new OldHost({ ...options, sshdPort: sshd.port }))
    expect(host.hasCrashed).toBe(false)
  }

  test.for(mixes)('client $client, relay $relay, host $host', async ({ client, relay: relayMake, host }) => {
    const relay = relays.get(relayMake)
    if (relay === undefined) throw new Error('no such relay')
    const id = idOf(`${relayMake}-${host}`)
    await using clientEnd =
      client === 'ours'
        ? await startClient({ relay, id })
        : await OldClient.start({
            generation: client,
            access: relay.accessOf(id),
            token: tokenAt(relay, id, 'client'),
          })
    // A client that comes before the host of an old relay is never served (B9): it tries again, as a person would.
    using talk = await until('the banner comes', () => tryBanner(clientEnd.port), { withinMs: 60_000 })
    await talk.echo({ blocks: 200, blockBytes: 300, seed: 1 })
    await talk.echo({ blocks: 12, blockBytes: blockBytesAt(relayMake), seed: 2 })
    expect(lossOf(clientEnd)).toBe(0)
    expect(relay instanceof OldRelay && relay.isDeadlocked).toBe(false)
  })
})

/** Names with dots are hidden from clients by old relays (spec shell 3). */
function idOf(name: string): string {
  return name.replaceAll('.', '')
}

/** What an old client threw away because it could not get rid of it in time. */
function lossOf(client: unknown): number {
  return client instanceof OldClient ? client.pumps.reduce((sum, pump) => sum + pump.droppedBytes, 0) : 0
}

async function tryBanner(port: number): Promise<TunnelTalk | undefined> {
  const talk = await TunnelTalk.open(port)
  try {
    const banner = await talk.read(EchoSshd.banner.length, 3_000)
    expect(banner.equals(EchoSshd.banner)).toBe(true)
    return talk
  } catch {
    talk[Symbol.dispose]()
    return undefined
  }
}
