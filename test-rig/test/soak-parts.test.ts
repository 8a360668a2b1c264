import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CommandLedger } from '../soak/command-ledger.ts'
import { faultKinds, faultRules } from '../soak/fault-kinds.ts'
import { type PlanOptions, planFaults, type PlanStep } from '../soak/fault-plan.ts'
import { type FaultRecord, troubleOf, unexplained } from '../soak/fault-record.ts'
import { readMessage } from '../soak/numbered-message.ts'
import { type Numbered, OrderLedger } from '../soak/order-ledger.ts'
import { SilenceLedger } from '../soak/silence-ledger.ts'
import { makeReport, reportText, type ReportInput } from '../soak/soak-report.ts'
import { SteadyPictures } from '../soak/steady-pictures.ts'
import { StreamWatch } from '../soak/stream-watch.ts'
import { trendOf } from '../soak/trend.ts'
import { TsContinuity } from '../soak/ts-continuity.ts'
import { seededRandom } from '../src/rig/mutated-bytes.ts'

function firstSteps(
  seed: number,
  count: number,
  { kinds = faultKinds, pauseMs = 10_000 }: Partial<PlanOptions> = {},
): readonly PlanStep[] {
  return planFaults({ kinds, pauseMs, random: seededRandom(seed) })
    .take(count)
    .toArray()
}

describe('the plan of faults', () => {
  test('is the same for the same seed and another for another', () => {
    expect(firstSteps(7, 50)).toEqual(firstSteps(7, 50))
    expect(firstSteps(7, 50)).not.toEqual(firstSteps(8, 50))
  })

  test('has every kind once before any comes again', () => {
    const kinds = firstSteps(3, faultKinds.length).map(({ faults }) => faults[0]?.kind)

    expect(new Set(kinds)).toEqual(new Set(faultKinds))
  })

  test('lets a fault last as long as its kind may, and the calm be near its mean', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        for (const { pauseMs, faults } of firstSteps(seed, 30)) {
          expect(pauseMs).toBeGreaterThanOrEqual(5_000)
          expect(pauseMs).toBeLessThanOrEqual(15_000)
          for (const { kind, holdMs } of faults) {
            const [leastMs, mostMs] = faultRules[kind].holdMs
            expect(holdMs).toBeGreaterThanOrEqual(leastMs)
            expect(holdMs).toBeLessThanOrEqual(mostMs)
          }
        }
      }),
    )
  })

  test('breaks two parts at once now and then, never one part twice', () => {
    const pairs = firstSteps(1, 300).filter(({ faults }) => faults.length === 2)

    expect(pairs.length).toBeGreaterThan(10)
    for (const { faults } of pairs)
      expect(new Set(faults.map(({ kind }) => faultRules[kind].victim)).size).toBe(2)
  })

  test('keeps to the kinds that are asked for', () => {
    const steps = firstSteps(1, 40, { kinds: ['garbage', 'cable-pull'] })

    expect(steps.every(({ faults }) => faults.length === 1)).toBe(true)
    expect(new Set(steps.flatMap(({ faults }) => faults.map(({ kind }) => kind)))).toEqual(
      new Set(['garbage', 'cable-pull']),
    )
  })
})

describe('the ledger of numbered messages', () => {
  function taken(...messages: readonly (readonly [run: number, seq: number])[]): OrderLedger {
    const ledger = new OrderLedger()
    for (const [run, seq] of messages) ledger.take(made(run, seq))
    return ledger
  }
  const made = (run: number, seq: number): Numbered => ({ run, seq, bornAtMs: run * 10_000 + seq * 10 })

  test('finds nothing in what comes in order, from wherever it begins', () => {
    const { losses, doubled, late, received } = taken([1, 5], [1, 6], [1, 7])

    expect({ losses, doubled, late, received }).toEqual({ losses: [], doubled: [], late: [], received: 3 })
  })

  test('tells between which two messages how many were lost', () => {
    expect(taken([1, 0], [1, 4]).losses).toEqual([{ messages: 3, fromMs: 10_000, toMs: 10_040 }])
  })

  test('tells a double message from a late one', () => {
    const { doubled, late } = taken([1, 0], [1, 3], [1, 1], [1, 1], [1, 3])

    expect(late).toEqual([{ fromMs: 10_010, toMs: 10_010 }])
    expect(doubled).toEqual([
      { fromMs: 10_010, toMs: 10_010 },
      { fromMs: 10_030, toMs: 10_030 },
    ])
  })

  test('counts what a new run said before it was heard', () => {
    expect(taken([1, 0], [2, 2]).losses).toEqual([{ messages: 2, fromMs: 10_000, toMs: 20_020 }])
  })

  test('calls a message of an earlier run late', () => {
    expect(taken([2, 0], [1, 9]).late).toHaveLength(1)
  })

  test('accounts for every message, however they are dropped, doubled and mixed', () => {
    const order = fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 120 })
    fc.assert(
      fc.property(order, (seqs) => {
        const { losses, doubled, late } = taken(...seqs.map((seq): [number, number] => [1, seq]))
        const lost = losses.reduce((sum, { messages }) => sum + messages, 0)
        const first = seqs[0] ?? 0
        const heard = new Set(seqs.filter((seq) => seq >= first))

        expect(lost - late.length).toBe(Math.max(...seqs) - first + 1 - heard.size)
        // What is older than the first that was heard counts as double: nobody knows better.
        expect(doubled.length).toBe(seqs.length - heard.size)
      }),
    )
  })
})

describe('the ledger of silences', () => {
  test('keeps those that are too long, and one that has not ended', () => {
    const ledger = new SilenceLedger({ longestUsualMs: 1_000 })
    for (const atMs of [0, 900, 3_000, 4_000]) ledger.take(atMs)

    expect(ledger.until(4_500)).toEqual([{ fromMs: 900, toMs: 3_000 }])
    expect(ledger.until(6_000)).toEqual([
      { fromMs: 900, toMs: 3_000 },
      { fromMs: 4_000, toMs: 6_000 },
    ])
  })

  test('begins with the first message', () => {
    expect(new SilenceLedger({ longestUsualMs: 1_000 }).until(9_000)).toEqual([])
  })
})

describe('the ledger of commands', () => {
  test('tells when an answered command was sent, and which have none in time', () => {
    const ledger = new CommandLedger()
    ledger.send(1, 100)
    ledger.send(2, 200)
    ledger.send(3, 5_000)

    expect(ledger.answer(1)).toBe(100)
    expect(ledger.unanswered(5_500, 1_000)).toEqual([{ fromMs: 200, toMs: 200 }])
  })

  test('notices a second answer, and an answer to nothing is none', () => {
    const ledger = new CommandLedger()
    ledger.send(1, 100)
    ledger.answer(1)

    expect(ledger.answer(1)).toBeUndefined()
    expect(ledger.answer(99)).toBeUndefined()
    expect(ledger.doubled).toEqual([{ fromMs: 100, toMs: 100 }])
    expect(ledger.answers).toBe(1)
  })
})

describe('the counters of transport packets', () => {
  /** `adaptation`: its flags, for a packet that has one. */
  function packet(counter: number, { pid = 256, adaptation = -1 } = {}): Buffer {
    const bytes = Buffer.alloc(188)
    bytes.set([0x47, pid >> 8, pid & 0xff, (adaptation < 0 ? 0x10 : 0x30) | counter, 1, adaptation & 0xff])
    return bytes
  }

  test('run on over messages and round their end, for each PID', () => {
    const continuity = new TsContinuity()
    for (let i = 0; i < 40; i += 1)
      continuity.take(Buffer.concat([packet(i % 16), packet((i + 7) % 16, { pid: 257 })]))

    expect(continuity.breaks).toBe(0)
  })

  test('show packets that are missing, but for a jump that the packet itself tells of', () => {
    const continuity = new TsContinuity()
    continuity.take(Buffer.concat([packet(0), packet(1), packet(3)]))
    expect(continuity.breaks).toBe(1)

    continuity.take(packet(9, { adaptation: 0x80 }))
    expect(continuity.breaks).toBe(1)
  })

  test('are not asked for in what holds no whole packets', () => {
    expect(new TsContinuity().take(packet(0).subarray(0, 187))).toBe(false)
    expect(new TsContinuity().take(Buffer.alloc(188))).toBe(false)
    expect(new TsContinuity().take(packet(0))).toBe(true)
  })
})

describe('steady pictures', () => {
  test('are there after half a second of them, not after a burst', () => {
    const steady = new SteadyPictures()
    const burst = Array.from({ length: 50 }, (_, i) => steady.take(i))
    const afterPause = Array.from({ length: 15 }, (_, i) => steady.take(10_000 + i * 40))

    expect(burst.some((isSteady) => isSteady)).toBe(false)
    expect(afterPause.indexOf(true)).toBe(13)
  })
})

describe('a watched stream', () => {
  test('is back with the first message that was made after the fault', async () => {
    const watch = new StreamWatch({ longestUsualMs: 1_000 })
    const back = watch.back(500, new AbortController().signal)
    let isBack = false
    void back.then(() => {
      isBack = true
    })
    watch.take(499)
    watch.take(undefined)
    await Promise.resolve()
    expect(isBack).toBe(false)

    watch.take(500)
    expect(await back).toBeGreaterThan(0)
  })

  test('is not waited for any longer than told', async () => {
    expect(await new StreamWatch({ longestUsualMs: 1_000 }).back(0, AbortSignal.abort())).toBeUndefined()
  })
})

describe('the trend of a figure', () => {
  const hourMs = 3_600_000
  const life = (pid: number, fromMs: number, value: (atMs: number) => number) =>
    Array.from({ length: 60 }, (_, i) => ({ pid, atMs: fromMs + i * 5_000, value: value(i * 5_000) }))

  test('is its slope after the warm-up', () => {
    const samples = life(1, 0, (atMs) => (atMs < 60_000 ? atMs * 50 : 3_000_000 + (atMs / hourMs) * 7))
    const { perHour, start, end, max, lives } = trendOf(samples, { warmUpMs: 60_000 })

    expect(perHour).toBeCloseTo(7, 5)
    expect({ start, end: Math.round(end), max: Math.round(max), lives }).toEqual({
      start: 0,
      end: 3_000_001,
      max: 3_000_001,
      lives: 1,
    })
  })

  test('is not fooled by processes of different size that follow each other', () => {
    const samples = [...life(1, 0, () => 10), ...life(2, 400_000, () => 99), ...life(3, 800_000, () => 500)]
    const { perHour, lives } = trendOf(samples, { warmUpMs: 0 })

    expect(perHour).toBeCloseTo(0, 9)
    expect(lives).toBe(3)
  })

  test('is unknown where there is too little to see', () => {
    expect(trendOf(life(1, 0, () => 1).slice(0, 5), { warmUpMs: 0 }).perHour).toBeUndefined()
    expect(trendOf([], { warmUpMs: 0 })).toEqual({ start: 0, max: 0, end: 0, lives: 0, perHour: undefined })
  })
})

describe('a message of the soak', () => {
  test.each([
    ['{"run":2,"seq":3,"born":4.5}', { kind: 'reading', reading: { run: 2, seq: 3, bornAtMs: 4.5 } }],
    ['{"pong":7}', { kind: 'answer', id: 7 }],
    ['{"run":"2","seq":3,"born":4}', { kind: 'other' }],
    ['\u0000{"run":2,"se', { kind: 'other' }],
    ['null', { kind: 'other' }],
  ])('%s is told by what is in it', (text, expected) => {
    expect(readMessage(text)).toEqual(expected)
  })
})

const pulled: FaultRecord = {
  number: 1,
  faults: [{ kind: 'cable-pull', holdMs: 1_000 }],
  startedAtMs: 10_000,
  healedAtMs: 11_000,
  backAtMs: { data: 12_000, commands: 13_000 },
  endedAtMs: 13_000,
  outcome: 'recovered',
}

describe('what a fault explains', () => {
  test('is what happened from shortly before it until its stream was back', () => {
    const spans = [
      { fromMs: 7_000, toMs: 7_900 },
      { fromMs: 8_500, toMs: 8_500 },
      { fromMs: 12_500, toMs: 12_600 },
      { fromMs: 13_500, toMs: 13_600 },
    ]

    expect(unexplained(spans, troubleOf('data', [pulled]))).toEqual([spans[0], spans[3]])
    expect(unexplained(spans, troubleOf('video', [pulled]))).toEqual(spans)
  })
})

describe('the report', () => {
  function input(change: Partial<ReportInput> = {}): ReportInput {
    const watch = () => new StreamWatch({ longestUsualMs: 1_000 })
    return {
      seed: 5,
      lastedMs: 120_000,
      wasStopped: false,
      brokenBy: undefined,
      nowMs: 100_000,
      records: [pulled],
      viewers: {
        watches: { video: watch(), data: watch(), commands: watch(), mqtt: watch() },
        orders: { data: new OrderLedger(), mqtt: new OrderLedger() },
        commands: new CommandLedger(),
        pictureBreaks: [],
        figures: { videoBytes: 0, unalignedMessages: 0, otherTexts: 0, visits: 0 },
      },
      processes: {},
      ...change,
    }
  }

  test('finds nothing wrong where every fault was recovered from', () => {
    const report = makeReport(input())

    expect(report.failures).toEqual([])
    expect(report.recoveries).toEqual([
      { kind: 'cable-pull', count: 1, notRecovered: 0, medianMs: 2_000, maxMs: 2_000 },
    ])
    expect(reportText(report)).toMatch(/nothing failed/)
  })

  test('fails for a fault that was not recovered from, and says what is missing', () => {
    const record: FaultRecord = { ...pulled, backAtMs: { data: 12_000 }, outcome: 'failed' }

    const report = makeReport(input({ records: [record] }))
    expect(report.failures).toEqual(['fault 1 (cable-pull): commands did not come back in time'])
    expect(reportText(report)).toMatch(/FAILED:\n {2}fault 1/)
  })

  test('does not blame a fault during which it was stopped', () => {
    const report = makeReport(input({ records: [{ ...pulled, backAtMs: {}, outcome: 'unfinished' }] }))

    expect(report.failures).toEqual([])
    expect(report.recoveries).toEqual([])
  })

  test('fails for readings that are lost without a fault, and allows those that a fault cost', () => {
    const { viewers } = input()
    const { data } = viewers.orders
    for (const [seq, bornAtMs] of [
      [0, 10_500],
      [5, 11_500],
      [6, 50_000],
      [9, 50_100],
    ] as const)
      data.take({ run: 1, seq, bornAtMs })

    const report = makeReport(input({ viewers }))
    expect(report.streams.data.numbered).toEqual({ lostInFaults: 4, lostOutside: 2, doubled: 0, late: 0 })
    expect(report.failures).toEqual(['data: 2 lost without a fault'])
  })

  test('fails for a command without an answer, for what came twice, and for an agent that ended', () => {
    const { viewers } = input()
    viewers.commands.send(1, 60_000)
    for (const seq of [0, 1, 1]) viewers.orders.mqtt.take({ run: 1, seq, bornAtMs: 60_000 })

    expect(makeReport(input({ viewers, brokenBy: 'the agent ended (SIGSEGV): ' })).failures).toEqual([
      'the agent ended (SIGSEGV): ',
      'commands: 1 lost without a fault',
      'mqtt: 1 came twice',
    ])
  })
})
