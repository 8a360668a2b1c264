import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { until } from '../src/rig/until.ts'
import {
  EndsLab,
  type Phase,
  phases,
  resumeWithinMs,
  type Sockets,
  type WatchedSession,
} from '../src/shell/ends/ends-lab.ts'
import type { WatchedEnd } from '../src/shell/ends/watched-end.ts'

const slowMs = 300_000
/** What it may take where everybody is told, on a machine that does much else. */
const toldMs = 20_000
/** A link without a sign of life for 15 s is broken; then the session is waited for. */
const lostMs = resumeWithinMs + toldMs
const silentMs = 20_000 + lostMs
/** The relay asks every 54 s whether a link lives. */
const restMs = 120_000
const rows: string[] = []

type Act = (lab: EndsLab) => void | Promise<void>

interface Program {
  readonly who: 'client' | 'relay' | 'host'
  readonly what: string
  readonly act: Act
  /** Every side of every session must have ended after so long. */
  readonly withinMs: number
  /** What it takes back, so that who lives can be at rest again. */
  readonly mend?: Act
}

const deeds: readonly Program[] = [
  { who: 'client', what: 'closes (SIGTERM)', withinMs: toldMs, act: signalBoth('SIGTERM') },
  { who: 'client', what: 'dies (kill -9)', withinMs: lostMs, act: signalBoth('SIGKILL') },
  {
    who: 'client',
    what: 'goes silent (cut wire)',
    withinMs: silentMs,
    act: (lab) => lab.rooms.cut(0),
    mend: (lab) => lab.rooms.mend(0),
  },
  {
    who: 'host',
    what: 'closes (SIGTERM)',
    withinMs: lostMs,
    act: (lab) => lab.host.program.signal('SIGTERM'),
  },
  { who: 'host', what: 'dies (kill -9)', withinMs: lostMs, act: (lab) => lab.host.program.signal('SIGKILL') },
  {
    who: 'host',
    what: 'goes silent (cut wire)',
    withinMs: silentMs,
    act: (lab) => lab.rooms.cut(1),
    mend: (lab) => lab.rooms.mend(1),
  },
  {
    who: 'relay',
    what: 'closes (SIGTERM)',
    withinMs: lostMs,
    act: (lab) => lab.relay.program.signal('SIGTERM'),
  },
  {
    who: 'relay',
    what: 'dies (kill -9)',
    withinMs: lostMs,
    act: (lab) => lab.relay.program.signal('SIGKILL'),
  },
  {
    who: 'relay',
    what: 'goes silent (both wires cut)',
    withinMs: silentMs,
    act: async (lab) => {
      await lab.rooms.cut(0)
      await lab.rooms.cut(1)
    },
    mend: async (lab) => {
      await lab.rooms.mend(0)
      await lab.rooms.mend(1)
    },
  },
]

function signalBoth(signal: NodeJS.Signals): Act {
  return ({ client, lonely }) => {
    client.program.signal(signal)
    lonely.program.signal(signal)
  }
}

/** Spec shell 1.3, done again with ours. */
describe('whatever ends a session, everything ends everywhere in time', () => {
  afterAll(() => {
    const folder = join(import.meta.dirname, '..', '..', 'test-output')
    mkdirSync(folder, { recursive: true })
    const head = '| who | what | phase | ssh sees | sshd sees |\n|---|---|---|---|---|\n'
    writeFileSync(join(folder, 'shell-ends.md'), `${head}${rows.toSorted().join('\n')}\n`)
  })

  describe.concurrent('each in a lab of its own', () => {
    // Some run at once: those that take longest begin, and the others fill the time.
    const longestFirst = deeds.toSorted((one, other) => other.withinMs - one.withinMs)
    test.for(longestFirst)('$who $what', { timeout: slowMs }, async ({ who, what, act, withinMs, mend }) => {
      await using lab = await EndsLab.start()
      const sessions = await openAll(
        lab,
        who === 'host' ? phases.filter((phase) => phase !== 'pairing') : phases,
      )

      const actedAtMs = performance.now()
      await act(lab)
      await until('every side has ended', () => sessions.every(isOver), { withinMs })

      for (const session of sessions) note(who, what, session, actedAtMs)
      await mend?.(lab)
      await until(
        'nobody holds a socket for them',
        async () => isBack(lab.socketsAtRest, await lab.sockets()),
        {
          withinMs: restMs,
        },
      )
      expect(sessions.map(isOver)).not.toContain(false)
    })

    test('ssh and sshd close, reset, die or stop reading, each in every phase', {
      timeout: slowMs,
    }, async () => {
      await using lab = await EndsLab.start()
      const acts = {
        closes: (end: WatchedEnd) => end.close(),
        resets: (end: WatchedEnd) => end.reset(),
        dies: (end: WatchedEnd) => end.die(),
      }
      for (const who of ['ssh', 'sshd'] as const) {
        for (const [what, act] of Object.entries(acts)) {
          const all = await openAll(
            lab,
            who === 'ssh' ? phases : phases.filter((phase) => phase !== 'pairing'),
          )
          const actedAtMs = performance.now()
          for (const session of all) act(session[who] ?? session.ssh)
          await until(`the others see that ${who} ${what}`, () => all.every(isOver), { withinMs: lostMs })
          for (const session of all) note(who, what, session, actedAtMs)
        }
      }

      // One that reads no more holds its own session up, and nobody else's; it ends when it reads on and is told.
      const held = await lab.open('transfer')
      held.ssh.stopReading()
      const other = await lab.open('idle')
      await expectAlive(other)
      held.ssh.readOn()
      rows.push('| ssh | stops reading | transfer | lives on | lives on |')

      // Links that break and come back are no end at all.
      for (const who of ['client', 'host'] as const) {
        await lab.rooms.reset(lab.room(who), lab.relay.ports.bar)
        await expectAlive(other)
        rows.push(`| ${who} | link is reset | idle | lives on | lives on |`)
      }
      for (const { ssh } of [held, other]) ssh.reset()
      await until(
        'nobody holds a socket for them',
        async () => isBack(lab.socketsAtRest, await lab.sockets()),
        {
          withinMs: lostMs + 40_000,
        },
      )
      expect(isOver(other)).toBe(true)
    })
  })
})

async function openAll(lab: EndsLab, wanted: readonly Phase[]): Promise<readonly WatchedSession[]> {
  const sessions: WatchedSession[] = []
  for (const phase of wanted) sessions.push(await lab.open(phase))
  // A session that waits for its host has reached the relay by now.
  await sleep(500)
  return sessions
}

function isOver({ ssh, sshd }: WatchedSession): boolean {
  return ssh.end !== undefined && (sshd === undefined || sshd.end !== undefined)
}

async function expectAlive({ ssh, sshd }: WatchedSession): Promise<void> {
  const [there = 0, back] = [sshd?.receivedBytes, ssh.receivedBytes]
  ssh.say('are you there?')
  sshd?.say('I am')
  await until('they hear each other', () => (sshd?.receivedBytes ?? 0) > there && ssh.receivedBytes > back)
  expect([ssh.end, sshd?.end]).toEqual([undefined, undefined])
}

/** Managers and listeners are what was there before; who has gone holds none. */
function isBack(before: Sockets, now: Sockets): boolean {
  return (['client', 'lonely', 'relay', 'host'] as const).every((who) => now[who] <= before[who])
}

function note(who: string, what: string, session: WatchedSession, sinceMs: number): void {
  const { phase, ssh, sshd } = session
  const seen = (side: string, end: WatchedEnd | undefined): string => {
    if (end?.end === undefined) return 'was not there'
    if (side === who) return '(its own)'
    return `${end.end.how}, ${((end.end.atMs - sinceMs) / 1000).toFixed(1)} s`
  }
  rows.push(`| ${who} | ${what} | ${phase} | ${seen('ssh', ssh)} | ${seen('sshd', sshd)} |`)
}
