import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type DatagramReceiver,
  receiveDatagrams,
} from '../../systemd/node-systemd-notify/test/datagram-receiver.ts'
import type { AgentProcess } from './agent-process.ts'
import { AgentWorkbench } from './agent-workbench.ts'
import { eventually } from './eventually.ts'

const buildAddon = fileURLToPath(new URL('../../systemd/node-systemd-notify/native/main.ts', import.meta.url))
const loseTimers = fileURLToPath(new URL('./lose-timers.mjs', import.meta.url))

beforeAll(() => void execFileSync(process.execPath, [buildAddon]))
let bench: AgentWorkbench
afterEach(() => bench.tidyUp())

async function startNotified(
  config: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly agent: AgentProcess; readonly systemd: DatagramReceiver }> {
  bench = new AgentWorkbench()
  const systemd = await receiveDatagrams(bench.file('notify'))
  bench.later(() => systemd[Symbol.asyncDispose]())
  const file = bench.write('agent.yaml', `status: { socket: "" }\nlocalApi: { enabled: false }\n${config}`)
  const agent = bench.start({
    args: ['run', '--config', file],
    environment: { NOTIFY_SOCKET: bench.file('notify'), ...environment },
  })
  return { agent, systemd }
}

describe('what systemd hears', () => {
  test('the agent is ready before its hardware is, tells how it does on change, and says when it ends', async () => {
    const { agent, systemd } = await startNotified(
      'name: pend00\ncameras: [{ name: front, preset: test-pattern }, { name: back, feed: other, device: /dev/none }]\n',
      { WATCHDOG_USEC: '1000000' },
    )
    await systemd.heard('READY=1')
    expect(systemd.lines[0]).toBe('READY=1')
    await systemd.heard(/^STATUS=pend00 \| front [\d.]+ fps \| back waiting \| last fault .*\/dev\/none/)
    await systemd.heard('WATCHDOG=1')

    const { code } = await agent.stop()

    await systemd.heard('STOPPING=1')
    expect(code).toBe(0)
    const statuses = systemd.lines.filter((line) => line.startsWith('STATUS='))
    expect(statuses.every((line, index) => line !== statuses[index - 1])).toBe(true)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('an order to stop by %s is told at once', async (signal) => {
    const { agent, systemd } = await startNotified('')
    await systemd.heard('READY=1')

    expect((await agent.stop(signal)).code).toBe(0)

    await systemd.heard('STOPPING=1')
  })

  test('a part that is stuck ends the signs of life, and is named in the log', async () => {
    const { agent, systemd } = await startNotified('name: pend00\n', {
      WATCHDOG_USEC: '2000000',
      NODE_OPTIONS: `--import=${loseTimers}`,
      LOSE_TIMERS_WHEN: '/dev/null/never',
    })
    await systemd.heard('WATCHDOG=1')
    await agent.stop()
    await systemd.heard('STOPPING=1')
    expect(agent.log.some(({ msg }) => String(msg).includes('stuck'))).toBe(false)
    await bench.tidyUp()

    const stuck = await startNotified('name: pend00\n', {
      WATCHDOG_USEC: '4000000',
      NODE_OPTIONS: `--import=${loseTimers}`,
      // It is there from the start: the first timer of a second is lost.
      LOSE_TIMERS_WHEN: loseTimers,
    })
    const isStuck = (): boolean =>
      stuck.agent.log.some(({ msg }) =>
        String(msg).includes('is stuck, systemd gets no sign of life and will start this service anew'),
      )
    await eventually(isStuck, { withinMs: 25_000, show: () => stuck.agent.stdout })

    await stuck.agent.stop()
    await stuck.systemd.heard('STOPPING=1')
    // A sign each 1.3 s for the 10 s that the part had promised and 1 s more; the look that found it stuck gave none.
    expect(stuck.systemd.lines.filter((line) => line === 'WATCHDOG=1').length).toBeLessThanOrEqual(9)
    expect(stuck.agent.log.find(({ msg }) => String(msg).includes('is stuck'))).toMatchObject({
      part: 'activity meter',
    })
  }, 60_000)

  test('without the add-on and without systemd nothing is told and nothing is missed', async () => {
    const { agent } = await startNotified('', { NOTIFY_SOCKET: '' })
    await eventually(() => agent.log.some(({ msg }) => msg === 'agent is running'))

    expect((await agent.stop()).code).toBe(0)
    expect(existsSync(bench.file('notify'))).toBe(true)
  })
})
