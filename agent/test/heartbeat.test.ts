import { mkdirSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Thermometer } from '../src/health/thermometer.ts'
import { AgentWorkbench } from './agent-workbench.ts'
import { eventually } from './eventually.ts'
import { ScriptedServer } from './scripted-server.ts'

const secretToken = 'eyJhbGciOiJIUzI1NiJ9.eyJzY29wZXMiOltdfQ.very-secret-signature'

let bench: AgentWorkbench
beforeEach(() => {
  bench = new AgentWorkbench()
})
afterEach(() => bench.tidyUp())

test('the agent says on its own topic how it does, and soon when that changes', async () => {
  const server = await ScriptedServer.open()
  bench.later(() => server.close())
  bench.write('health.token', secretToken)
  const config = bench.write(
    'agent.yaml',
    `
name: pend00
relay: { access: "${server.access}" }
localApi: { enabled: false }
status: { socket: "" }
topics: [{ topic: pend00-health, feed: health, tokenFile: health.token }]
heartbeat: { topic: pend00-health, every: 1h }
instruments: [{ name: board, device: /nonexistent/tty }]
`,
  )
  const agent = bench.start({ args: ['run', '--config', config] })
  await eventually(() => server.peers.length > 0, { show: () => agent.stdout + agent.stderr })
  const peer = await server.peer(1)
  const beats = () => peer.texts.map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>)

  // The first one may have been made before the link was there, which changes a verdict.
  await eventually(() => beats().some(({ linked }) => linked === true), { show: () => agent.stdout })
  expect(beats().at(-1)).toMatchObject({
    heartbeat: 1,
    name: 'pend00',
    live: true,
    ready: false,
    linked: true,
    parts: [
      { part: 'instrument board', works: false },
      { part: 'uplink pend00-health', state: 'live' },
    ],
    faults: [{ part: 'instrument board', code: 'INSTRUMENT_MISSING' }],
  })
  expect(peer.texts.join('')).not.toMatch(/very-secret|nonexistent/)
  expect((await agent.stop()).code).toBe(0)
})

test('a temperature is that of the hottest sensor that can be read', async () => {
  const sensors: readonly (readonly [string, string])[] = [
    ['thermal_zone0', '48123\n'],
    ['thermal_zone1', '51200\n'],
    ['thermal_zone2', 'nonsense'],
    ['thermal_zone3', '-274000'],
    ['thermal_zone4', '999999'],
    ['cooling_device0', '90000'],
  ]
  for (const [name, text] of sensors) {
    mkdirSync(bench.file(name))
    bench.write(`${name}/temp`, text)
  }
  mkdirSync(bench.file('thermal_zone5'))

  const thermometer = new Thermometer(bench.directory)
  expect(await thermometer.read()).toBe(51.2)
  expect(thermometer.lastC).toBe(51.2)
  expect(await new Thermometer(bench.file('nowhere')).read()).toBeUndefined()
})
