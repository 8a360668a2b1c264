import { existsSync } from 'node:fs'
import { systemClock } from '@relay/common/clock'
import { loadConfig } from '@relay/common/config/load-config'
import { silentLog } from '@relay/common/log'
import { createNotifier } from 'node-systemd-notify'
import { afterEach, expect, test } from 'vitest'
import { Agent } from '../src/agent.ts'
import { agentConfigSpec } from '../src/config.ts'
import { AgentWorkbench } from './agent-workbench.ts'
import { eventually } from './eventually.ts'

const bench = new AgentWorkbench()
afterEach(() => bench.tidyUp())

test('a fault of what looks after the parts ends all of them before it ends the agent', async () => {
  const socket = bench.file('status')
  const text = `localApi: { enabled: false }\nstatus: { socket: ${socket} }\n`
  let isBroken = false
  const agent = new Agent(
    {
      config: loadConfig(agentConfigSpec, { file: { path: 'agent.yaml', text } }),
      apiDestination: '',
      errorTexts: 'v0.2',
      requiresLocalApi: false,
      watchdogIntervalMs: 300,
    },
    {
      clock: systemClock,
      random: Math.random,
      log: silentLog(),
      environment: {},
      notifier: {
        ...createNotifier({ environment: {} }),
        watchdog: () => {
          if (isBroken) throw new Error('a bug')
        },
      },
    },
  )
  const ended = agent.run(new AbortController().signal)
  await eventually(() => existsSync(socket))

  isBroken = true

  await expect(ended).rejects.toThrow('a bug')
  expect(existsSync(socket)).toBe(false)
})
