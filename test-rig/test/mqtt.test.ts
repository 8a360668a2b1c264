import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AgentProcess } from '../../agent/test/agent-process.ts'
import { Mosquitto } from '../../agent/test/mosquitto.ts'
import { Board } from '../../agent/test/mqtt-fixture.ts'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import { until } from '../src/rig/until.ts'

test('an instrument on a broker is used through a relay, both of which are killed, and its last will tells of the agent', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mqtt-rig-'))
  await using cleanUp = new AsyncDisposableStack()
  cleanUp.defer(() => rmSync(directory, { recursive: true }))
  await using relay = await RelayUnderTest.start()
  await using broker = await Mosquitto.start()
  writeFileSync(join(directory, 'data.token'), await relay.token('pend-data'))
  writeFileSync(
    join(directory, 'agent.yaml'),
    `relay: { access: "${relay.access}" }
localApi: { enabled: false }
status: { socket: "" }
topics: [{ topic: pend-data, feed: data, tokenFile: data.token }]
mqttInstruments:
  - name: pendulum
    feed: data
    broker: mqtt://127.0.0.1:${broker.port}
    will: { topic: pend/1/online, payload: 'no' }
    birth: { topic: pend/1/online, payload: 'yes' }
    subscriptions:
      - { filter: 'pend/{rig}/angle', template: '{"rig":\${rig},"angle":\${number}}' }
      - { filter: 'pend/+/state', keep: true }
    publications:
      - { match: '{"set":"speed","to":\${speed:number 0..5}}', topic: pend/1/speed, template: '\${speed}', qos: 1 }
`,
  )
  const agent = new AgentProcess({ args: ['run', '--config', join(directory, 'agent.yaml')] })
  cleanUp.defer(async () => void (await agent.stop('SIGKILL')))
  const logged = (text: string, times: number) =>
    until(`"${text}" in the log, ${times} times`, () => agent.stdout.split(text).length > times, {
      withinMs: 30_000,
    })
  await logged('uplink is live', 1)
  await logged('instrument is connected to its broker', 1)
  await using viewer = await relay.join('pend-data')
  await using board = await Board.join(broker.port, ['pend/#'])

  await board.say('pend/1/angle', '12.5')
  await viewer.text('{"rig":"1","angle":12.5}')
  viewer.send('{"set":"speed","to":2}')
  viewer.send('{"set":"speed","to":6}')
  await until('the command', () => board.texts('pend/1/speed').length > 0)
  await board.say('pend/1/state', '"on"')
  await viewer.text('{"topic":"pend/1/state","value":"on"}')

  await using late = await relay.join('pend-data')
  late.send('{"cmd":"describe"}')
  await late.text('{"topic":"pend/1/state","value":"on"}')

  await broker.kill()
  await broker.restart()
  await logged('instrument is connected to its broker', 2)
  await using again = await Board.join(broker.port, ['pend/#'])
  await again.say('pend/2/angle', '3')
  await viewer.text('{"rig":"2","angle":3}')

  await relay.program.stop()
  await relay.start()
  await logged('uplink is live', 2)
  await using back = await relay.join('pend-data')
  back.send('{"set":"speed","to":3}')
  await until('the command through the new relay', () => again.texts('pend/1/speed').includes('3'))
  expect(board.texts('pend/1/speed')).not.toContain('6')

  await agent.stop('SIGKILL')
  await until('the last will', () => again.texts('pend/1/online').includes('no'))
  expect(again.texts('pend/1/online')).toEqual(['yes', 'no'])
})
