import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { residentBytes } from '../bench/process-figures.ts'
import { measured } from '../src/rig/measured.ts'
import { until } from '../src/rig/until.ts'
import { EchoSshd } from '../src/shell/echo-sshd.ts'
import { ShellRelayProgram, startClient, startHost } from '../src/shell/shell-programs.ts'
import { TunnelTalk } from '../src/shell/tunnel-talk.ts'

const slowMs = 400_000
const id = 'pend00'
const atOnce = 20
const warmUpSessions = 200
const countedSessions = Number(process.env['SHELL_LEAK_SESSIONS'] ?? 1_000)
/** A session whose client vanished is kept for 5 s here, a finished one for 30 s. */
const settledWithinMs = 90_000
/** What is kept of each session shows in the heap: with this limit a program that keeps 20 KB of each dies. */
const env = {
  NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=2',
  MALLOC_ARENA_MAX: '2',
  SHELLRELAY_ACCESS_SUBJECT_REQUESTS: '1000000',
  SHELL_HOST_LIMITS_RESUME_WITHIN: '5s',
  SHELL_HOST_LIMITS_SESSIONS: '1000',
  SHELL_HOST_LIMITS_SESSIONS_PER_SECOND: '10000',
}
const maxGrowthBytes = 32 * 1024 * 1024

test('a thousand sessions, however they end, leave nothing behind', { timeout: slowMs }, async () => {
  await using sshd = await EchoSshd.start()
  await using relay = await ShellRelayProgram.start({ env })
  await using host = startHost({ relay, id, sshdPort: sshd.port, env })
  await using client = await startClient({ relay, id, env })
  await until('the tunnel works', async () => {
    await oneSession(client.port, 0)
    return true
  })
  const pids = { relay: relay.program.pid, host: host.program.pid, client: client.program.pid }
  const each = async <T>(of: (pid: number) => Promise<T>) =>
    await Promise.all(Object.entries(pids).map(async ([name, pid]) => [name, await of(pid)] as const))

  await sessions(client.port, warmUpSessions)
  const files = await settledFiles(each)
  const memory = new Map(await each(residentBytes))
  const startedAtMs = performance.now()
  await sessions(client.port, countedSessions)
  const tookS = (performance.now() - startedAtMs) / 1000

  await until('descriptors are what they were', async () => fewerThan(files, await each(openFiles)), {
    withinMs: settledWithinMs,
    everyMs: 500,
  })
  expect(sshd.open).toEqual([])
  for (const [name, bytes] of await each(residentBytes)) {
    const growth = bytes - (memory.get(name) ?? 0)
    measured(`shell, ${name} after 1,000 sessions`, `${(growth / 2 ** 20).toFixed(1)} MiB more resident`)
    expect(growth).toBeLessThan(maxGrowthBytes)
  }
  measured('shell, 1,000 sessions', `${tookS.toFixed(1)} s, ${(countedSessions / tookS).toFixed(0)} a second`)
  const { client: ofClient, relay: ofRelay, host: ofHost } = { client, relay, host }
  expect([ofClient, ofRelay, ofHost].map(({ program }) => program.exit)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

async function sessions(port: number, count: number): Promise<void> {
  for (let done = 0; done < count; done += atOnce)
    await Promise.all(Array.from({ length: atOnce }, (_unused, index) => oneSession(port, done + index)))
}

/** In turn: ended by us in order, broken by us, dropped at once before it is a session, dropped in the middle of a flood. */
async function oneSession(port: number, number: number): Promise<void> {
  using talk = await TunnelTalk.open(port)
  if (number % 4 === 1) return
  await talk.read(EchoSshd.banner.length)
  if (number % 4 === 2) {
    talk.socket.write(Buffer.alloc(100_000))
    talk.socket.resetAndDestroy()
    return
  }
  await talk.echo({ blocks: 2, blockBytes: 20_000, seed: number })
  if (number % 4 === 3) {
    talk.socket.write(Buffer.alloc(2_000_000))
    return
  }
  talk.socket.end()
  await talk.whenEnded()
}

type Each = <T>(of: (pid: number) => Promise<T>) => Promise<readonly (readonly [string, T])[]>

/** What each has open once nothing of the sessions before is under way. */
async function settledFiles(each: Each): Promise<readonly (readonly [string, number])[]> {
  let last = await each(openFiles)
  let unchanged = 0
  return await until(
    'descriptors settle',
    async () => {
      const now = await each(openFiles)
      unchanged = same(now, last) && same(last, now) ? unchanged + 1 : 0
      last = now
      return unchanged >= 10 ? now : undefined
    },
    { withinMs: settledWithinMs, everyMs: 500 },
  )
}

function same(
  now: readonly (readonly [string, number])[],
  before: readonly (readonly [string, number])[],
): boolean {
  return now.every(([name, count]) => count <= (new Map(before).get(name) ?? 0))
}

/** @throws {Error} with both counts while there are more. */
function fewerThan(
  before: readonly (readonly [string, number])[],
  now: readonly (readonly [string, number])[],
): true {
  if (!same(now, before)) throw new Error(`${JSON.stringify(before)} have become ${JSON.stringify(now)}`)
  return true
}

async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${String(pid)}/fd`)).length
}
