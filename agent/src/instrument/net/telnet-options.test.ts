import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DO, DONT, type Verb, WILL, WONT } from './telnet-codec.ts'
import { TelnetOptions } from './telnet-options.ts'

const ours = 44
const theirs = 0
const unknown = 1

function options(): TelnetOptions {
  const telnet = new TelnetOptions({ ours: [ours], theirs: [theirs] })
  expect(telnet.ask()).toEqual([
    [WILL, ours],
    [DO, theirs],
  ])
  return telnet
}

test.each<[string, readonly [Verb, number][], readonly (Verb | undefined)[]]>([
  ['agreement needs no answer', [[DO, ours]], [undefined]],
  ['nor does a refusal', [[DONT, ours]], [undefined]],
  [
    'nor does it when it is said again',
    [
      [DO, ours],
      [DO, ours],
    ],
    [undefined, undefined],
  ],
  [
    'what is taken back is confirmed',
    [
      [DO, ours],
      [DONT, ours],
    ],
    [undefined, WONT],
  ],
  [
    'and may come again',
    [
      [DO, ours],
      [DONT, ours],
      [DO, ours],
    ],
    [undefined, WONT, WILL],
  ],
  ['what we do not do is refused', [[DO, unknown]], [WONT]],
  ['what they need not do is refused', [[WILL, unknown]], [DONT]],
  [
    'what they do already is no news',
    [
      [WILL, theirs],
      [WONT, theirs],
    ],
    [undefined, DONT],
  ],
  [
    'what was never on is not switched off',
    [
      [DONT, unknown],
      [WONT, unknown],
    ],
    [undefined, undefined],
  ],
])('%s', (_case, said, answers) => {
  const telnet = options()

  expect(said.map(([verb, option]) => telnet.answer(verb, option))).toEqual(answers)
})

test('two ends that want other things come to an end', () => {
  const wishes = fc.record({
    ours: fc.uniqueArray(fc.nat({ max: 5 })),
    theirs: fc.uniqueArray(fc.nat({ max: 5 })),
  })
  fc.assert(
    fc.property(wishes, wishes, (one, other) => {
      const ends = [new TelnetOptions(one), new TelnetOptions(other)] as const
      let said = [
        ...ends[0].ask().map((words) => ({ to: 1 as 0 | 1, words })),
        ...ends[1].ask().map((words) => ({ to: 0 as 0 | 1, words })),
      ]
      let rounds = 0
      while (said.length > 0) {
        rounds += 1
        expect(rounds).toBeLessThan(6)
        said = said.flatMap(({ to, words: [verb, option] }) => {
          const answer = ends[to].answer(verb, option)
          const back: 0 | 1 = to === 0 ? 1 : 0
          return answer === undefined ? [] : [{ to: back, words: [answer, option] as const }]
        })
      }
      for (const option of one.ours)
        expect(ends[0].offered(option)).toBe(other.theirs.includes(option) ? 'yes' : 'no')
    }),
  )
})
