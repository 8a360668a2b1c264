import { FakeClock } from '@relay/common/fake-clock'
import { ConfigError } from '@relay/common/errors'
import { silentLog } from '@relay/common/log'
import { expect, test } from 'vitest'
import type { AgentConfig } from './config.ts'
import { ReloadDesk } from './reload-desk.ts'

function desk(read: () => AgentConfig) {
  const events: string[] = []
  const applied: PromiseWithResolvers<void>[] = []
  const end = { isOver: false }
  const reloads = new ReloadDesk({
    // oxlint-disable-next-line typescript/require-await -- what `read` throws must come as a rejection
    read: async () => ({ config: read(), warnings: [] }),
    apply: async ({ name }) => {
      events.push(`apply ${name}`)
      const done = Promise.withResolvers<void>()
      applied.push(done)
      await done.promise
      return { kept: 1, ended: 0, started: 0 }
    },
    statusLine: () => 'fine',
    isOver: () => end.isOver,
    notifier: {
      reloading: () => void events.push('reloading'),
      ready: (status) => void events.push(`ready ${status ?? ''}`),
    },
    clock: new FakeClock(),
    log: silentLog(),
  })
  return { reloads, events, applied, end }
}
const named = (name: string): AgentConfig => ({ name }) as AgentConfig

test('orders that come during a reload lead to one more, which takes the newest file', async () => {
  let name = 'first'
  const { reloads, events, applied } = desk(() => named(name))
  const done = reloads.order()
  name = 'second'
  void reloads.order()
  name = 'third'
  void reloads.order()

  for (const round of [0, 1]) {
    await expect.poll(() => applied[round]).toBeDefined()
    applied[round]?.resolve()
  }
  await done

  expect(events).toEqual(['reloading', 'apply first', 'apply third', 'ready fine'])
})

test('a wrong configuration is told until a right one comes, and changes nothing', async () => {
  let isWrong = true
  const { reloads, events, applied } = desk(() => {
    if (isWrong) throw new ConfigError('CONFIG_INVALID', 'agent.yaml line 3: wrong')
    return named('right')
  })
  await reloads.order()

  expect(reloads.fault).toMatchObject({ code: 'CONFIG_INVALID', message: 'agent.yaml line 3: wrong' })
  expect(events).toEqual(['reloading', 'ready fine'])

  isWrong = false
  const done = reloads.order()
  await expect.poll(() => applied[0]).toBeDefined()
  applied[0]?.resolve()
  await done
  expect(reloads.fault).toBeUndefined()
})

test('a reload that the end of the agent overtakes is not told of', async () => {
  const { reloads, events, applied, end } = desk(() => named('first'))
  const done = reloads.order()
  await expect.poll(() => applied[0]).toBeDefined()
  void reloads.order()
  end.isOver = true
  applied[0]?.reject(new Error('its parts are gone'))
  await done

  expect(events).toEqual(['reloading', 'apply first'])
  expect(reloads.fault).toBeUndefined()
})
