import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FakeClock } from './fake-clock.ts'
import { OneTimeCodes } from './one-time-codes.ts'

const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
const codesOf = (clock: FakeClock, { lifetimeMs = 30_000, maxCodes = 100 } = {}): OneTimeCodes<string> =>
  new OneTimeCodes<string>({ lifetimeMs, maxCodes }, clock)

describe('a one-time code', () => {
  test('is a UUID v4 in lower case, each time another', () => {
    const codes = codesOf(new FakeClock())
    const given = Array.from({ length: 50 }, () => codes.add('p'))

    for (const code of given) expect(code).toMatch(uuid)
    expect(new Set(given).size).toBe(50)
  })

  test('gives its permission once', () => {
    const codes = codesOf(new FakeClock())
    const code = codes.add('p')

    expect(codes.exchange(code)).toBe('p')
    expect(codes.exchange(code)).toBeUndefined()
  })

  test.each([
    [29_999, 'p'],
    [30_000, undefined],
    [59_000, undefined],
  ])('after %i ms without any sweep it is worth %s', async (ageMs, permission) => {
    const clock = new FakeClock()
    const codes = codesOf(clock)
    const code = codes.add('p')

    await clock.advance(ageMs)
    expect(codes.exchange(code)).toBe(permission)
  })

  test('lives as long when somebody sets the wall clock', async () => {
    const clock = new FakeClock()
    const codes = codesOf(clock)
    const [first, second] = [codes.add('a'), codes.add('b')]

    clock.jump(3_600_000)
    expect(codes.exchange(first)).toBe('a')
    clock.jump(-7_200_000)
    await clock.advance(30_000)
    expect(codes.exchange(second)).toBeUndefined()
  })

  test('is not found by another spelling', () => {
    const codes = codesOf(new FakeClock())
    const code = codes.add('p')

    expect(codes.exchange(code.toUpperCase())).toBeUndefined()
    expect(codes.exchange(` ${code}`)).toBeUndefined()
    expect(codes.exchange('__proto__')).toBeUndefined()
    expect(codes.exchange(code)).toBe('p')
  })
})

test('at the limit the oldest gives way and is counted, expired ones are not', async () => {
  const clock = new FakeClock()
  const codes = codesOf(clock, { maxCodes: 2 })
  const expired = codes.add('expired')
  await clock.advance(30_000)
  const [a, b, c] = [codes.add('a'), codes.add('b'), codes.add('c')]

  expect(codes.evicted).toBe(1)
  expect(codes.size).toBe(2)
  expect([expired, a, b, c].map((code) => codes.exchange(code))).toEqual([undefined, undefined, 'b', 'c'])
})

test('deleting by permission tells how many live codes there were', async () => {
  const clock = new FakeClock()
  const codes = codesOf(clock)
  codes.add('x')
  await clock.advance(30_000)
  const [kept, gone] = [codes.add('y'), codes.add('x')]
  codes.add('x')

  expect(codes.deleteWhere((permission) => permission === 'x')).toBe(2)
  expect(codes.exchange(gone)).toBeUndefined()
  expect(codes.exchange(kept)).toBe('y')
})

interface ModelEntry {
  readonly code: string
  readonly permission: number
  readonly expiresAtMs: number
}

/** What the codes must behave like: a plain list of who was added when. */
class Model {
  evicted = 0
  readonly #maxCodes: number
  #entries: readonly ModelEntry[] = []

  constructor(maxCodes: number) {
    this.#maxCodes = maxCodes
  }

  add(entry: ModelEntry, nowMs: number): void {
    const live = this.#live(nowMs)
    const isFull = live.length === this.#maxCodes
    if (isFull) this.evicted += 1
    this.#entries = [...live.slice(isFull ? 1 : 0), entry]
  }

  exchange(code: string, nowMs: number): number | undefined {
    const found = this.#live(nowMs).find((entry) => entry.code === code)
    this.#entries = this.#entries.filter((entry) => entry.code !== code)
    return found?.permission
  }

  deleteAll(permission: number, nowMs: number): number {
    const live = this.#live(nowMs)
    this.#entries = live.filter((entry) => entry.permission !== permission)
    return live.length - this.#entries.length
  }

  #live(nowMs: number): readonly ModelEntry[] {
    return this.#entries.filter((entry) => nowMs < entry.expiresAtMs)
  }
}

const events = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), permission: fc.nat(4) }),
  fc.record({ kind: fc.constant('exchange' as const), which: fc.nat(30) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(40) }),
  fc.record({ kind: fc.constant('delete' as const), permission: fc.nat(4) }),
  fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -1000, max: 1000 }) }),
)
type Event = typeof events extends fc.Arbitrary<infer E> ? E : never

/** Plays the events to the codes and to the model, and gives what each answered. */
async function play(
  steps: readonly Event[],
): Promise<{ readonly real: unknown[]; readonly wanted: unknown[] }> {
  const maxCodes = 5
  const lifetimeMs = 100
  const clock = new FakeClock()
  const codes = new OneTimeCodes<number>({ lifetimeMs, maxCodes }, clock)
  const model = new Model(maxCodes)
  const handedOut: string[] = []
  const real: unknown[] = []
  const wanted: unknown[] = []
  for (const event of steps) {
    const nowMs = clock.monotonicMs()
    if (event.kind === 'add') {
      const { permission } = event
      const code = codes.add(permission)
      model.add({ code, permission, expiresAtMs: nowMs + lifetimeMs }, nowMs)
      handedOut.push(code)
    } else if (event.kind === 'exchange') {
      const code = handedOut[event.which % (handedOut.length + 1)] ?? 'never given'
      real.push(codes.exchange(code))
      wanted.push(model.exchange(code, nowMs))
    } else if (event.kind === 'delete') {
      real.push(codes.deleteWhere((permission) => permission === event.permission))
      wanted.push(model.deleteAll(event.permission, nowMs))
    } else if (event.kind === 'wait') {
      await clock.advance(event.ms)
    } else {
      clock.jump(event.ms)
    }
    real.push(codes.evicted, codes.size <= maxCodes)
    wanted.push(model.evicted, true)
  }
  return { real, wanted }
}

test('whatever happens in which order, it is as the plain list says', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(events, { maxLength: 60 }), async (steps) => {
      const { real, wanted } = await play(steps)
      expect(real).toEqual(wanted)
    }),
    { numRuns: 150 },
  )
})
