import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManagerList } from './manager-list.ts'

test('the newest is in charge; the one before is told to stand by, and takes over again', () => {
  const list = new ManagerList<string>()
  expect(list.add('first')).toEqual({})
  expect(list.add('second')).toEqual({ standby: 'first' })
  expect(list.all).toEqual(['second', 'first'])
  expect(list.delete('second')).toEqual({ active: 'first' })
  expect(list.delete('first')).toEqual({})
  expect(list.active).toBeUndefined()
})

test('that one on standby goes changes nothing', () => {
  const list = new ManagerList<string>()
  list.add('first')
  list.add('second')
  expect(list.delete('first')).toEqual({})
  expect(list.delete('unknown')).toEqual({})
  expect(list.active).toBe('second')
})

test('whoever comes and goes, exactly the newest thinks that it is in charge', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 40 }), (moves) => {
      const list = new ManagerList<number>()
      const present: number[] = []
      const inCharge = new Set<number>()
      let next = 0
      for (const move of moves) {
        const going = present[-move - 1]
        if (move >= 0) {
          next += 1
          present.push(next)
          const { standby } = list.add(next)
          inCharge.add(next)
          if (standby !== undefined) inCharge.delete(standby)
        } else if (going !== undefined) {
          present.splice(-move - 1, 1)
          const { active } = list.delete(going)
          inCharge.delete(going)
          if (active !== undefined) inCharge.add(active)
        }
        const newest = present.at(-1)
        expect([...inCharge]).toEqual(newest === undefined ? [] : [newest])
        expect(list.active).toBe(newest)
      }
    }),
  )
})
