import { aborted } from '@relay/common/clock'
import { FakeClock } from '@relay/common/fake-clock'
import { silentLog } from '@relay/common/log'
import { expect, test } from 'vitest'
import { Progress } from '@relay/common/progress'
import type { PartPlan } from './part-plan.ts'
import { PartSet } from './part-set.ts'

/** Parts that write down what becomes of them; one whose settings say `hangs` never ends. */
function workshop() {
  const clock = new FakeClock()
  const events: string[] = []
  const plan = (key: string, settings: string): PartPlan => ({
    key,
    settings,
    make: () => {
      if (settings === 'impossible') throw new Error('it cannot be made')
      return {
        name: `${key} ${settings}`,
        progress: new Progress(clock),
        run: async (signal) => {
          events.push(`+${key} ${settings}`)
          if (settings === 'fails') throw new Error('a bug')
          await aborted(signal)
          await Promise.resolve()
          events.push(`-${key} ${settings}`)
          if (settings === 'hangs') await new Promise(() => undefined)
        },
      }
    },
  })
  return { clock, events, plan, set: new PartSet({ clock, log: silentLog() }) }
}

test('a change ends what it must before it starts anything, and leaves the rest alone', async () => {
  const { events, plan, set } = workshop()
  await set.apply([plan('a', '1'), plan('b', '1')])

  const changes = await set.apply([plan('c', '1'), plan('b', '2'), plan('a', '1')])

  expect(events).toEqual(['+a 1', '+b 1', '-b 1', '+c 1', '+b 2'])
  expect(changes).toEqual({ kept: 1, ended: 1, started: 2 })
  expect(set.parts.map(({ name }) => name)).toEqual(['c 1', 'b 2', 'a 1'])
})

test('a part that cannot be made changes nothing', async () => {
  const { events, plan, set } = workshop()
  await set.apply([plan('a', '1')])

  await expect(set.apply([plan('a', '2'), plan('b', 'impossible')])).rejects.toThrow('it cannot be made')

  expect(events).toEqual(['+a 1'])
  expect(set.parts.map(({ name }) => name)).toEqual(['a 1'])
})

test('a part that does not end keeps a change waiting for 3.5 s and no longer, and stays in sight', async () => {
  const { clock, events, plan, set } = workshop()
  await set.apply([plan('a', 'hangs')])
  const changing = set.apply([plan('a', '2')])

  await clock.advance(3_499)
  expect(events).toEqual(['+a hangs', '-a hangs'])
  await clock.advance(1)
  await changing

  expect(events.at(-1)).toBe('+a 2')
  expect(set.parts.map(({ name }) => name)).toEqual(['a 2', 'a hangs'])
})

test('a part that fails takes no other with it', async () => {
  const { events, plan, set } = workshop()
  await set.apply([plan('a', 'fails'), plan('b', '1')])

  await set.close()

  expect(events).toEqual(['+a fails', '+b 1', '-b 1'])
})

test('after the close nothing is started', async () => {
  const { events, plan, set } = workshop()
  await set.apply([plan('a', '1')])
  const changing = set.apply([plan('a', '2')])
  await set.close()
  await changing

  expect(events).toEqual(['+a 1', '-a 1'])
  expect(set.parts).toEqual([])
})

test('a close waits for what a change is just ending', async () => {
  const { clock, plan, set } = workshop()
  await set.apply([plan('a', 'hangs'), plan('b', '1')])
  const changing = set.apply([plan('b', '1')])
  let isClosed = false
  const closing = set.close().then(() => {
    isClosed = true
  })

  await clock.advance(3_499)
  expect(isClosed).toBe(false)
  await clock.advance(1)
  await closing
  await changing

  expect(set.parts.map(({ name }) => name)).toEqual(['a hangs'])
})
