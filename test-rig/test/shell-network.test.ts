import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ChildProgram } from '../src/golden/child-program.ts'
import { FreePorts } from '../src/golden/free-ports.ts'
import { measured } from '../src/rig/measured.ts'
import { until } from '../src/rig/until.ts'
import { firstInLine } from '../src/shell/first-in-line.ts'
import { compileDelayLink } from '../src/shell/network/delay-link-program.ts'
import { type NetworkRoom, NetworkRooms } from '../src/shell/network/network-room.ts'
import { sha256Of, writeRandomFile } from '../src/shell/random-file.ts'
import { runProgram } from '../src/shell/run-program.ts'
import {
  type ShellClientProgram,
  ShellRelayProgram,
  startClient,
  startHost,
} from '../src/shell/shell-programs.ts'
import { SshDialogue } from '../src/shell/ssh-dialogue.ts'
import { SshLab, type SshRoute } from '../src/shell/ssh-lab.ts'

const flow = fileURLToPath(new URL('../src/shell/network/flow.ts', import.meta.url))
const id = 'pend00'
const slowMs = 300_000
const copiedBytes = 500_000_000
/** Longer than any wait between two dials. */
const stalledMs = 60_000
const cuts = 20
type Way = 'down' | 'up'
/** Seconds for one way, megabytes for the other. */
const amounts: Readonly<Record<Way, string>> = { down: '2', up: '40' }
/** Tunnel and TCP in turns; odd, so that one is in the middle. */
const rounds = 5
/** Each way: 50 ms there and back. */
const wire = { delayMs: 25, lossPer1000: 10, mbitPerSec: 160 }

/**
 * The administrator in one network namespace, relay and experiment in another, a long and lossy wire between. The kernel
 * here may have no netem: a program of ours delays and loses the frames.
 */
describe('a long and lossy way', () => {
  const stack = new AsyncDisposableStack()
  let rooms: NetworkRooms
  let here: NetworkRoom
  let there: NetworkRoom
  let lab: SshLab
  let relay: ShellRelayProgram
  let client: ShellClientProgram
  let route: SshRoute

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wire-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const program = await compileDelayLink(folder)
    rooms = stack.use(await NetworkRooms.open([{ program, ...wire }]))
    here = roomInFront(rooms.room(0))
    there = roomInFront(rooms.room(1))
    const { within } = there
    lab = stack.use(await SshLab.start({ within, listenAddress: '0.0.0.0' }))
    relay = stack.use(await startRelayThere())
    stack.use(startHost({ relay, id, sshdPort: lab.sshdPort, within }))
    client = stack.use(await startClient({ relay, id, within: here.within }))
    route = { kind: 'port', port: client.port, within: here.within }
    await until(
      'a login works',
      async () => (await lab.ssh(route, 'true', { timeoutMs: 20_000 })).code === 0,
      {
        withinMs: 60_000,
      },
    )
  }, slowMs)
  afterAll(() => stack.disposeAsync())

  function startRelayThere(again?: ShellRelayProgram): Promise<ShellRelayProgram> {
    const { address, within } = there
    const same = again === undefined ? {} : { ports: again.ports, secret: again.secret }
    return ShellRelayProgram.start({ address, within, ...same })
  }

  test('carries at least 0.8 of what TCP carries there', { timeout: slowMs }, async () => {
    const port = await new FreePorts().next()
    const program = new ChildProgram([...there.within, process.execPath, flow, 'serve', String(port)], {})
    stack.defer(async () => void (await program.stop()))
    stack.use(startHost({ relay, id: 'flow', sshdPort: port, within: there.within }))
    const tunnel = stack.use(await startClient({ relay, id: 'flow', within: here.within }))
    const measure = async (way: Way, address: string, at: number): Promise<number> => {
      const [command, ...words] = [...here.within, process.execPath, flow]
      const { stdout } = await runProgram(command, [...words, way, address, String(at), amounts[way]])
      return Number(stdout)
    }
    const direct = (way: Way): Promise<number> => measure(way, there.address, port)
    const through = (way: Way): Promise<number> => measure(way, '127.0.0.1', tunnel.port)
    await until('the flow runs', async () => (await through('down')) > 0)

    for (const way of ['down', 'up'] as const) {
      const pairs: { readonly tcp: number; readonly tunnel: number }[] = []
      for (let round = 0; round < rounds; round += 1) {
        // Either goes first in turn, so that what changes meanwhile favours none.
        if (round % 2 === 0) pairs.push({ tcp: await direct(way), tunnel: await through(way) })
        else pairs.push({ tunnel: await through(way), tcp: await direct(way) })
      }
      const ratio = middle(pairs.map(({ tcp, tunnel: ours }) => ours / tcp))
      const [ours, tcp] = [middle(pairs.map((pair) => pair.tunnel)), middle(pairs.map((pair) => pair.tcp))]
      const figures = `${ours.toFixed(1)} MB/s, TCP ${tcp.toFixed(1)}: ${ratio.toFixed(2)}`
      measured(`shell, ${way} over 50 ms and 1 % loss`, figures)
      expect(ratio).toBeGreaterThanOrEqual(0.8)
    }
  })

  test(`loses no byte of 500 MB over ${String(cuts)} cuts`, { timeout: slowMs }, async () => {
    const source = lab.path('source')
    const copy = lab.path('copy')
    const sum = await writeRandomFile(source, copiedBytes)
    const words = [
      '-c',
      'aes128-gcm@openssh.com',
      ...lab.options(route),
      `${lab.target(route)}:${source}`,
      copy,
    ]
    const [command = '', ...rest] = [...here.within, 'scp', ...words]
    const startedAtMs = performance.now()
    const copying = runProgram(command, rest, { timeoutMs: slowMs })
    let hasEnded = false
    const ended = copying.finally(() => (hasEnded = true))
    let done = 0
    while (done < cuts) {
      // One in each part of the file, so that bytes are under way each time.
      const mark = ((done + 1) / (cuts + 1)) * copiedBytes
      await until('the copy grows', async () => hasEnded || (await sizeOf(copy)) >= mark, {
        withinMs: stalledMs,
        everyMs: 20,
      })
      if (hasEnded) break
      // The link of the client; each third time those of the host, which end at the relay beside it.
      done += Math.min(1, await rooms.reset(done % 3 === 2 ? there : here, relay.ports.bar))
    }

    expect(await ended).toMatchObject({ code: 0, stderr: '' })
    const tookS = (performance.now() - startedAtMs) / 1000
    measured('shell, 500 MB over 20 cuts', `${tookS.toFixed(1)} s, ${String(done)} cuts`)
    expect(done).toBe(cuts)
    expect(await sha256Of(copy)).toBe(sum)
  })

  test('an ssh session lives through a silent cut and through restarts of the relay', {
    timeout: slowMs,
  }, async () => {
    await using dialogue = new SshDialogue(lab, route)
    await dialogue.ask()

    await rooms.cut(0)
    await sleep(20_000)
    await rooms.mend(0)
    await dialogue.ask(90_000)

    relay.program.signal('SIGKILL')
    await relay.program.whenExited(10_000)
    await sleep(3_000)
    relay = stack.use(await startRelayThere(relay))
    await dialogue.ask(90_000)

    await relay[Symbol.asyncDispose]()
    relay = stack.use(await startRelayThere(relay))
    await dialogue.ask(90_000)
    expect(dialogue.hasEnded).toBe(false)
  })
})

/** What runs there goes first: the other tests of this machine are none of the long way. */
function roomInFront(room: NetworkRoom): NetworkRoom {
  return { ...room, within: [...room.within, ...firstInLine] }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found?.size ?? 0
}

function middle(figures: readonly number[]): number {
  return figures.toSorted((one, other) => one - other)[Math.floor(figures.length / 2)] ?? 0
}
