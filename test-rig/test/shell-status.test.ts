import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../src/rig/until.ts'
import { EchoSshd } from '../src/shell/echo-sshd.ts'
import { OldClient } from '../src/shell/old/old-client.ts'
import { type Finished, runProgram } from '../src/shell/run-program.ts'
import { shellCommand } from '../src/shell/shell-command.ts'
import { ShellRelayProgram, startClient, startHost, tokenAt } from '../src/shell/shell-programs.ts'
import { TunnelTalk } from '../src/shell/tunnel-talk.ts'

const id = 'pend00'
const other = 'pend01'
const heading = ['EXPERIMENT', 'SESSION', 'WHO', 'SINCE', 'FROM', 'PROGRAM', 'SENT', 'RECEIVED', 'STATE']
const ourBytes = 30_720_000
const oldBytes = 300_000

/** `shell status` against a relay of ours with hosts and sessions of ours and of v0.2.2. */
describe('the status of a relay of ours', () => {
  const stack = new AsyncDisposableStack()
  let relay: ShellRelayProgram
  let tokens = ''

  beforeAll(async () => {
    tokens = await mkdtemp(join(tmpdir(), 'status-'))
    stack.defer(() => rm(tokens, { recursive: true, force: true }))
    const sshd = stack.use(await EchoSshd.start())
    relay = stack.use(await ShellRelayProgram.start())
    await writeFile(join(tokens, 'stats.token'), tokenAt(relay, 'stats', 'stats'), { mode: 0o600 })
    for (const name of [id, other]) stack.use(startHost({ relay, id: name, sshdPort: sshd.port }))
  })
  afterAll(() => stack.disposeAsync())

  function ask(...words: readonly string[]): Promise<Finished> {
    const [node = '', ...command] = shellCommand('v0.2.2', 'status')
    return runProgram(node, [...command, '--tokens', tokens, ...words])
  }

  async function connections(): Promise<readonly Row[]> {
    const { code, stdout, stderr } = await ask()
    expect([code, stderr]).toEqual([0, ''])
    const [first = '', ...lines] = stdout.trimEnd().split('\n')
    expect(cellsOf(first)).toEqual(heading)
    return lines.map(readRow)
  }

  async function report(): Promise<readonly Element[]> {
    const { code, stdout, stderr } = await ask('--json')
    expect([code, stderr]).toEqual([0, ''])
    return JSON.parse(stdout) as readonly Element[]
  }

  test('tells who is connected to what, since when, and how much went through', async () => {
    const alone = await until('both hosts are there', async () => {
      const found = await connections()
      return found.length === 3 && found
    })
    expect(alone.map(({ experiment, session, who }) => [experiment, session, who])).toEqual([
      [id, '-', 'manager'],
      [other, '-', 'manager'],
      ['stats', '-', 'stats'],
    ])

    await using client = await startClient({ relay, id })
    const token = tokenAt(relay, other, 'client')
    await using old = await OldClient.start({ generation: 'v0.2.2', access: relay.accessOf(other), token })
    const openedAtMs = wholeSecond(Date.now())
    for (const [port, bytes] of [
      [client.port, ourBytes],
      [old.port, oldBytes],
    ] as const) {
      const talk = stack.use(await TunnelTalk.open(port))
      await talk.read(EchoSshd.banner.length)
      talk.socket.write(Buffer.alloc(bytes))
      await talk.read(bytes)
    }

    const found = await connections()
    expect(
      found.map(({ experiment, who, program, sent, received, state }) =>
        [experiment, who, program, sent, received, state].join(' '),
      ),
    ).toEqual([
      expect.stringMatching(`^${id} manager relay-shell \\d+ B \\d+ B -$`),
      // Beside the bytes themselves ours say little, which a rounded figure does not show.
      `${id} client relay-shell-client 29.3 MiB 29.3 MiB paired`,
      `${id} host relay-shell 29.3 MiB 29.3 MiB paired`,
      expect.stringMatching(`^${other} manager relay-shell \\d+ B \\d+ B -$`),
      `${other} client Go-http-client/1.1 293.0 KiB 293.0 KiB paired`,
      `${other} host relay-shell 293.0 KiB 293.0 KiB paired`,
      expect.stringMatching(/^stats stats relay-shell-status \d+ B \d+ B -$/),
    ])
    const [manager, ours, itsHost, , others, otherHost] = found
    expect([ours?.session, others?.session]).toEqual([itsHost?.session, otherHost?.session])
    expect(ours?.session).not.toBe(others?.session)
    // The manager was there before, and is the same.
    expect(manager?.sinceMs).toBe(alone[0]?.sinceMs)
    for (const each of [ours, itsHost, others, otherHost]) {
      expect(each?.sinceMs).toBeGreaterThanOrEqual(openedAtMs)
      expect(each?.sinceMs).toBeLessThanOrEqual(Date.now())
    }
  })

  test('tells programs the exact numbers, and nobody who has gone', async () => {
    const gone = await until('the sessions of the test before are over', async () => {
      const elements = await report()
      return elements.every(({ role }) => role !== 'client') && elements
    })
    expect(gone.map(({ topic }) => topic).toSorted()).toEqual([id, other, 'stats', 'stats'])

    const token = tokenAt(relay, other, 'client')
    await using old = await OldClient.start({ generation: 'jump', access: relay.accessOf(other), token })
    using talk = await TunnelTalk.open(old.port)
    await talk.read(EchoSshd.banner.length)
    talk.socket.write(Buffer.alloc(oldBytes))
    await talk.read(oldBytes)

    const elements = await report()
    const toHost = oldBytes
    const fromHost = EchoSshd.banner.length + oldBytes
    expect(elements.filter(({ topic }) => topic.startsWith(`${other}/`))).toEqual([
      expect.objectContaining({ role: 'client', id: other, bytesFrom: toHost, bytesTo: fromHost }),
      expect.objectContaining({ role: 'host', id: other, bytesFrom: fromHost, bytesTo: toHost }),
    ])
  })
})

/** One of a report. */
interface Element {
  readonly topic: string
  readonly role?: string
}

interface Row {
  readonly experiment: string
  readonly session: string
  readonly who: string
  readonly sinceMs: number
  readonly program: string
  readonly sent: string
  readonly received: string
  readonly state: string
}

function readRow(line: string): Row {
  const [experiment = '', session = '', who = '', since = '', , program = '', ...rest] = cellsOf(line)
  const [sent = '', received = '', state = ''] = rest
  return { experiment, session, who, sinceMs: Date.parse(since), program, sent, received, state }
}

function cellsOf(line: string): readonly string[] {
  return line.trimEnd().split(/ {2,}/)
}

/** Times of reports have no fractions. */
function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}
