import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decidePair,
  type Manager,
  newPair,
  type PairAction,
  type PairEvent,
  type PairState,
  type PairStep,
  type PeerKind,
  type Side,
} from './pair-state.ts'

const times = { dialWithinMs: 15_000, codeLifetimeMs: 45_000, waitForHostMs: 120_000 }
const kinds = ['tunnel', 'shell', 'connect'] as const

/** A pair and what was done about it, with a clock and managers that the test moves. */
class Play {
  state: PairState<Manager>
  nowMs = 0
  managers: readonly Manager[]
  readonly done: PairAction<Manager>[] = []

  constructor(clientKind: PeerKind, managers: readonly Manager[] = []) {
    this.managers = managers
    const step = newPair(clientKind, this.#facts(), times)
    this.state = step.state
    this.done.push(...step.actions)
  }

  event(event: PairEvent<Manager>): readonly PairAction<Manager>[] {
    const step: PairStep<Manager> = decidePair(this.state, event, this.#facts(), times)
    this.state = step.state
    this.done.push(...step.actions)
    return step.actions
  }

  pairUp(hostKind: PeerKind): void {
    this.event({ kind: 'host-joined', hostKind, manager: this.state.alerted.at(-1) })
  }

  leave(side: Side, leaving: 'ended' | 'broken'): readonly string[] {
    return this.event({ kind: 'left', side, leaving }).map(describeAction)
  }

  flush(side: Side): readonly string[] {
    return this.event({ kind: 'flushed', side }).map(describeAction)
  }

  #facts() {
    return { nowMs: this.nowMs, managers: this.managers }
  }
}

function describeAction(action: PairAction<Manager>): string {
  switch (action.kind) {
    case 'close':
      return `close ${action.side} ${action.cause}`
    case 'flush':
    case 'discard':
      return `${action.kind} ${action.side}`
    case 'disconnect':
      return `disconnect ${action.isUsable ? 'usable' : 'legacy'}${action.isAfterData ? ' later' : ''}`
    default:
      return action.kind
  }
}

describe('the end of a client', () => {
  test.each([
    ['shell', 'shell', 'broken', 'ended', 'usable'],
    ['connect', 'connect', 'ended', 'ended', 'usable'],
    ['tunnel', 'tunnel', 'ended', 'ended', 'usable'],
    ['tunnel', 'tunnel', 'broken', 'peerLost', 'usable'],
    ['tunnel', 'shell', 'broken', 'ended', 'usable'],
    ['shell', 'tunnel', 'broken', 'ended', 'usable'],
  ] as const)(
    'of %s at a host of %s that has %s: the host gets the rest, then %s, and a %s disconnect',
    (client, host, leaving, cause, form) => {
      const play = new Play(client, [{ kind: host }])
      play.pairUp(host)
      expect(play.leave('client', leaving)).toEqual(['discard client', 'flush host'])
      expect(play.flush('host')).toEqual([`close host ${cause}`, `disconnect ${form} later`, 'forget'])
    },
  )

  test.each([
    ['shell', 'usable'],
    ['tunnel', 'usable'],
    ['connect', 'legacy'],
  ] as const)('before its host of %s has dialled is told by a %s disconnect', (host, form) => {
    const play = new Play('shell', [{ kind: host }])
    expect(play.leave('client', 'ended')).toEqual([`disconnect ${form}`, 'forget'])
  })

  test('of the successor tells a usable disconnect only to the host that dialled', () => {
    const [slow, quick] = [{ kind: 'connect' }, { kind: 'connect' }] as const
    const play = new Play('shell', [slow, quick])
    play.nowMs = times.dialWithinMs
    play.event({ kind: 'time-passed' })
    play.event({ kind: 'host-joined', hostKind: 'connect', manager: quick })
    play.leave('client', 'ended')
    const disconnects = play
      .event({ kind: 'flushed', side: 'host' })
      .filter(({ kind }) => kind === 'disconnect')
    expect(disconnects).toEqual([
      { kind: 'disconnect', manager: slow, isUsable: false, isAfterData: true },
      { kind: 'disconnect', manager: quick, isUsable: true, isAfterData: true },
    ])
  })
})

describe('the end of a host', () => {
  test.each([
    ['tunnel', 'tunnel', 'broken', ['close client peerLost', 'forget']],
    ['tunnel', 'tunnel', 'ended', ['close client ended', 'forget']],
    ['tunnel', 'connect', 'broken', ['close client hostGone', 'forget']],
    ['connect', 'shell', 'broken', ['close client ended', 'forget']],
    ['shell', 'shell', 'broken', []],
  ] as const)(
    'at a client of %s, the host of %s %s: after the last byte %j',
    (client, host, leaving, then) => {
      const play = new Play(client, [{ kind: host }])
      play.pairUp(host)
      expect(play.leave('host', leaving)).toEqual(['discard host', 'disconnect usable', 'flush client'])
      expect(play.flush('client')).toEqual(then)
      expect(play.state.phase).toBe(then.length === 0 ? 'parked' : 'over')
    },
  )

  test('closes a client of v0.2.2 that wrote while it was sent the rest, as somebody is there', () => {
    const play = new Play('shell', [{ kind: 'shell' }])
    play.pairUp('shell')
    play.leave('host', 'broken')
    play.event({ kind: 'client-spoke' })
    expect(play.flush('client')).toEqual(['close client ended', 'forget'])
  })
})

describe('waiting', () => {
  test('an end of ours is told that nobody is there, an old one is not', () => {
    expect(new Play('tunnel').done.map(describeAction)).toEqual(['tell-waiting'])
    expect(new Play('shell').done).toEqual([])
  })

  test('a host that dials at the last moment of its code is let in', () => {
    const play = new Play('connect', [{ kind: 'connect' }])
    for (const nowMs of [15_000, 29_000, 44_999]) {
      play.nowMs = nowMs
      expect(play.event({ kind: 'time-passed' })).toEqual([])
    }
    play.pairUp('connect')
    expect(play.state.phase).toBe('paired')
  })

  test.each([
    ['tunnel', ['close client hostOffline', 'forget']],
    ['connect', ['close client hostOffline', 'forget']],
    ['shell', ['discard host']],
  ] as const)('a client of %s for which no host came: %j', (client, then) => {
    const play = new Play(client)
    play.nowMs = times.waitForHostMs
    expect(play.event({ kind: 'time-passed' }).map(describeAction)).toEqual(then)
  })

  test('the host that comes next is alerted, and one that had its turn is not alerted again', () => {
    const first: Manager = { kind: 'shell' }
    const play = new Play('shell', [first])
    play.managers = []
    play.event({ kind: 'manager-left', manager: first })
    expect(play.state.phase).toBe('waiting')
    const second: Manager = { kind: 'shell' }
    play.managers = [second]
    expect(play.event({ kind: 'manager-joined' })).toEqual([{ kind: 'alert', manager: second }])
    expect(play.event({ kind: 'manager-left', manager: first })).toEqual([])
  })
})

const kind = fc.constantFrom(...kinds)
const event = fc.oneof(
  fc.record({ do: fc.constant('manager-joins' as const), kind }),
  fc.record({ do: fc.constant('manager-leaves' as const), pick: fc.nat(3) }),
  fc.record({ do: fc.constant('host-dials' as const), pick: fc.nat(3), isOurs: fc.boolean() }),
  fc.record({
    do: fc.constant('leaves' as const),
    side: fc.constantFrom('client' as const, 'host' as const),
    leaving: fc.constantFrom('ended' as const, 'broken' as const),
  }),
  fc.record({ do: fc.constant('flushes' as const) }),
  fc.record({ do: fc.constant('client-speaks' as const) }),
  fc.record({ do: fc.constant('time-passes' as const), ms: fc.integer({ min: 1, max: 130_000 }) }),
  fc.record({
    do: fc.constant('ends' as const),
    cause: fc.constantFrom('expired' as const, 'denied' as const, 'stopping' as const),
  }),
)

test('in any order of events every end is closed once, every alert taken back once, and all is forgotten', () => {
  fc.assert(
    fc.property(
      kind,
      fc.array(kind, { maxLength: 2 }),
      fc.array(event, { maxLength: 30 }),
      (clientKind, hosts, events) => {
        const play = new Play(
          clientKind,
          hosts.map((hostKind) => ({ kind: hostKind })),
        )
        const open = { client: true, host: false }
        let hostsJoined = 0
        const follow = (actions: readonly PairAction<Manager>[]): void => {
          for (const action of actions) {
            if (action.kind !== 'close') continue
            expect(open[action.side]).toBe(true)
            open[action.side] = false
          }
        }
        for (const step of events) {
          switch (step.do) {
            case 'manager-joins':
              play.managers = [{ kind: step.kind }, ...play.managers]
              follow(play.event({ kind: 'manager-joined' }))
              break
            case 'manager-leaves': {
              const manager = play.managers[step.pick]
              if (manager === undefined) break
              play.managers = play.managers.filter((other) => other !== manager)
              follow(play.event({ kind: 'manager-left', manager }))
              break
            }
            case 'host-dials': {
              const manager = play.state.alerted[step.pick]
              const isLetIn = play.state.phase === 'alerted' || play.state.phase === 'waiting'
              if (manager === undefined || !isLetIn) break
              open.host = true
              hostsJoined += 1
              const hostKind = step.isOurs ? 'tunnel' : manager.kind
              follow(play.event({ kind: 'host-joined', hostKind, manager }))
              break
            }
            case 'leaves':
              if (!open[step.side]) break
              open[step.side] = false
              follow(play.event({ kind: 'left', side: step.side, leaving: step.leaving }))
              break
            case 'flushes':
              if (play.state.phase === 'closing-host') follow(play.event({ kind: 'flushed', side: 'host' }))
              else if (play.state.phase === 'closing-client')
                follow(play.event({ kind: 'flushed', side: 'client' }))
              break
            case 'client-speaks':
              if (open.client) follow(play.event({ kind: 'client-spoke' }))
              break
            case 'time-passes':
              play.nowMs += step.ms
              follow(play.event({ kind: 'time-passed' }))
              break
            case 'ends':
              follow(play.event({ kind: 'sudden-end', cause: step.cause }))
              break
            default:
              step satisfies never
          }
          const isOver = play.state.phase === 'over'
          expect(isOver).toBe(!open.client && !open.host)
        }
        follow(play.event({ kind: 'sudden-end', cause: 'stopping' }))
        expect(open).toEqual({ client: false, host: false })
        expect(hostsJoined).toBeLessThanOrEqual(1)
        const count = (name: string): number => play.done.filter((action) => action.kind === name).length
        expect(count('forget')).toBe(1)
        expect(count('announce')).toBe(hostsJoined)
        const alerted = play.done.flatMap((action) => (action.kind === 'alert' ? [action.manager] : []))
        const takenBack = play.done.flatMap((action) =>
          action.kind === 'disconnect' ? [action.manager] : [],
        )
        expect(new Set(takenBack)).toEqual(new Set(alerted))
        expect(takenBack.length).toBe(alerted.length)
      },
    ),
    { numRuns: 2000 },
  )
})
