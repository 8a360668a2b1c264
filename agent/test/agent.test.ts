import { existsSync, statSync } from 'node:fs'
import { systemClock } from '@relay/common/clock'
import { loadConfig } from '@relay/common/config/load-config'
import { silentLog } from '@relay/common/log'
import { createNotifier, type Notifier } from 'node-systemd-notify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Agent } from '../src/agent.ts'
import { type AgentConfig, agentConfigSpec } from '../src/config.ts'
import { AgentWorkbench } from './agent-workbench.ts'
import { eventually } from './eventually.ts'

let bench: AgentWorkbench
beforeEach(() => {
  bench = new AgentWorkbench()
})
afterEach(() => bench.tidyUp())

function configOf(text: string): AgentConfig {
  const common = `localApi: { enabled: false }\nstatus: { socket: ${bench.file('status')} }\n`
  return loadConfig(agentConfigSpec, { file: { path: 'agent.yaml', text: common + text } })
}

function agentOf(notifier: Partial<Notifier> = {}): Agent {
  return new Agent(
    {
      config: configOf(''),
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
      notifier: { ...createNotifier({ environment: {} }), ...notifier },
    },
  )
}

test('a fault of what looks after the parts ends all of them before it ends the agent', async () => {
  let isBroken = false
  const agent = agentOf({
    watchdog: () => {
      if (isBroken) throw new Error('a bug')
    },
  })
  const ended = agent.run(new AbortController().signal)
  await eventually(() => existsSync(bench.file('status')))

  isBroken = true

  await expect(ended).rejects.toThrow('a bug')
  expect(existsSync(bench.file('status'))).toBe(false)
})

test('a reload leaves the status socket alone where its own settings are the same', async () => {
  const agent = agentOf()
  const stop = new AbortController()
  const ended = agent.run(stop.signal)
  await eventually(() => existsSync(bench.file('status')))
  const { ino } = statSync(bench.file('status'))

  const config = configOf('name: after\nlog: { level: error }\nstatusPage: { port: 0, allowedHosts: [a] }\n')
  await agent.reload(() => Promise.resolve({ config, warnings: [] }))

  expect(agent.status().name).toBe('after')
  expect(statSync(bench.file('status')).ino).toBe(ino)
  stop.abort()
  await ended
})
