import { expect, test } from 'vitest'
import type { HealthPart } from './health-part.ts'
import { RecentFaults } from './recent-faults.ts'

function part(name: string, code?: string, atMs = 0): HealthPart {
  const fault = code === undefined ? undefined : { code, message: 'words', atMs }
  return {
    kind: 'camera',
    title: `camera ${name}`,
    name,
    state: 'x',
    works: false,
    fault,
    count: 0,
    facts: {},
  }
}

const shown = (faults: RecentFaults): readonly string[] =>
  faults.list.map(({ part: title, code, atMs, isOver }) => `${title} ${code} ${atMs}${isOver ? ' over' : ''}`)

test('a fault is remembered when it is over, and once for each part and kind', () => {
  const faults = new RecentFaults()
  faults.look([part('a', 'LOST', 1), part('b')])
  faults.look([part('a', 'LOST', 2), part('b')])
  expect(shown(faults)).toEqual(['camera a LOST 2'])

  faults.look([part('a'), part('b', 'STALLED', 3)])
  expect(shown(faults)).toEqual(['camera b STALLED 3', 'camera a LOST 2 over'])
  faults.look([part('b', 'STALLED', 3)])
  expect(shown(faults)).toEqual(['camera b STALLED 3', 'camera a LOST 2 over'])
  faults.look([part('a', 'LOST', 9), part('b')])
  expect(shown(faults)).toEqual(['camera a LOST 9', 'camera b STALLED 3 over'])
})

test('only the newest ones are kept', () => {
  const faults = new RecentFaults()
  for (let index = 0; index < 1_000; index++) faults.look([part(`${index}`, 'LOST', index)])

  expect(faults.list).toHaveLength(10)
  expect(shown(faults)[0]).toBe('camera 999 LOST 999')
})
