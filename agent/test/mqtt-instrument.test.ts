import { globSync } from 'node:fs'
import { FakeClock } from '@relay/common/fake-clock'
import { describe, expect, test } from 'vitest'
import { BrokerCable } from './broker-cable.ts'
import { eventually } from './eventually.ts'
import { Mosquitto } from './mosquitto.ts'
import { Board, live, runInstrument } from './mqtt-fixture.ts'

const map = [
  'subscriptions:',
  "  - { filter: 'pend/{rig}/angle' }",
  "  - { filter: 'pend/+/note', qos: 1, form: text, template: 'note ${text}' }",
  "  - { filter: 'pend/+/picture', form: raw }",
  '  - { filter: \'pend/{rig}/state/{rest#}\', keep: true, template: \'{"rig":${rig},"what":${rest},"is":${json.v}}\' }',
  'publications:',
  '  - match: \'{"set":"speed","to":${speed:number -5..5}}\'',
  "    topic: 'pend/1/speed'",
  "    template: '${speed}'",
  '    qos: 1',
  '  - match: \'{"rig":${rig:word a|b},"light":${on:boolean}}\'',
  "    topic: 'pend/${rig}/light'",
  '    template: \'{"on":${on}}\'',
]

describe.each(['5', '3.1.1'])('with MQTT %s', (protocol) => {
  const settings = [`protocol: ${protocol}`, ...map]

  test('topics reach the feed by their templates, and commands reach their topics', async () => {
    await using broker = await Mosquitto.start()
    await using board = await Board.join(broker.port, ['pend/#'])
    await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, settings)
    await live(running)
    const { browser, instrument } = running

    await board.say('pend/1/angle', '12.5')
    await board.say('pend/2/angle', '{"deg":3}')
    await board.say('pend/2/angle', 'no json "')
    await board.say('pend/1/note', 'hello')
    await board.say('pend/1/picture', Buffer.of(0, 255))
    await board.say('pend/1/state/a/b', '{"v":true}')
    await eventually(() => browser.heard.length === 6, { show: () => browser.heard })

    expect(browser.heard.slice(0, 4)).toEqual([
      '{"topic":"pend/1/angle","value":12.5}',
      '{"topic":"pend/2/angle","value":{"deg":3}}',
      '{"topic":"pend/2/angle","value":"no json \\""}',
      'note hello',
    ])
    expect(browser.heard[5]).toBe('{"rig":"1","what":"a/b","is":true}')
    expect(browser.kinds).toEqual(['text', 'text', 'text', 'text', 'binary', 'text'])

    browser.say('{"set":"speed","to":2}{"rig":"b","light":true}')
    await eventually(() => board.texts('pend/b/light').length === 1, { show: () => board.heard })
    expect([board.texts('pend/1/speed'), board.texts('pend/b/light')]).toEqual([['2'], ['{"on":true}']])
    expect(instrument.status()).toMatchObject({ refusedCommands: 0, droppedCommands: 0, droppedMessages: 0 })
  })

  test('nothing but what is configured is published, whatever a student sends', async () => {
    await using broker = await Mosquitto.start()
    await using board = await Board.join(broker.port, ['#'])
    await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, settings)
    await live(running)
    const { browser, instrument } = running
    const hostile = [
      '{"set":"speed","to":6}',
      '{"set":"speed","to":"2"}',
      '{"rig":"a/../c","light":true}',
      '{"rig":"+","light":true}',
      '{"rig":"$SYS","light":true}',
      '{"rig":["a"],"light":true}',
      '{"topic":"pend/1/speed","payload":"5"}',
      '[]',
      'null',
      'go',
      '\u0000',
      `{"set":"speed","to":${'['.repeat(20_000)}`,
    ]

    for (const text of hostile) browser.say(text)
    browser.say(Buffer.from('{"set":"speed","to":1}'))
    browser.say('{"set":"speed","to":3}')
    await eventually(() => board.heard.length > 0)
    // The board may hear it before the broker's acknowledgement is back.
    await eventually(() => instrument.status().publishedMessages > 0)

    expect(board.heard.map(({ topic, text }) => [topic, text])).toEqual([['pend/1/speed', '3']])
    expect(instrument.status()).toMatchObject({ refusedCommands: hostile.length + 1, publishedMessages: 1 })
  })

  test('a broker that is killed and started again is used again, both ways', async () => {
    await using broker = await Mosquitto.start()
    await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, settings)
    await live(running)
    const { browser, instrument } = running

    await broker.kill()
    await eventually(() => instrument.status().state === 'waiting')
    expect(instrument.status().fault).toMatchObject({ code: 'MQTT_LOST' })
    browser.say('{"rig":"a","light":true}')
    expect(instrument.status()).toMatchObject({ droppedCommands: 1 })
    await broker.restart()
    await using board = await Board.join(broker.port, ['pend/#'])
    await live(running)
    await board.say('pend/1/angle', '1')
    browser.say('{"set":"speed","to":1}')
    await eventually(() => browser.heard.length > 0 && board.texts('pend/1/speed').length > 0)

    expect(browser.heard).toEqual(['{"topic":"pend/1/angle","value":1}'])
    // The light of before must not go on now.
    expect(board.texts('pend/a/light')).toEqual([])
    expect(instrument.status()).toMatchObject({ connects: 2, fault: undefined })
  })

  test('a command of QoS 1 that finds no broker reaches the next one, if it is young enough', async () => {
    await using broker = await Mosquitto.start()
    await using cable = await BrokerCable.to(broker.port)
    await using running = runInstrument(`mqtt://127.0.0.1:${cable.port}`, [...settings, 'commandAge: 10m'])
    await live(running)
    broker.freeze()
    running.browser.say('{"set":"speed","to":1}')
    expect(running.instrument.status()).toMatchObject({ waitingCommands: 1, publishedMessages: 0 })

    cable.pull()
    await broker.kill()
    await eventually(() => running.instrument.status().state === 'waiting')
    running.browser.say('{"set":"speed","to":2}')
    await broker.restart()
    await using board = await Board.join(broker.port, ['pend/#'])
    cable.plug()
    await eventually(() => board.texts('pend/1/speed').includes('2'), {
      show: () => [board.heard, running.instrument.status()],
    })

    expect(board.texts('pend/1/speed')).toEqual(['1', '2'])
    await eventually(() => running.instrument.status().publishedMessages === 2)
    expect(running.instrument.status()).toMatchObject({ droppedCommands: 0, waitingCommands: 0 })
  })

  test('the last will is seen when the agent is cut off, and told by itself when it stops in order', async () => {
    await using broker = await Mosquitto.start()
    await using cable = await BrokerCable.to(broker.port)
    await using board = await Board.join(broker.port, ['pend/online'])
    await using running = runInstrument(`mqtt://127.0.0.1:${cable.port}`, [
      `protocol: ${protocol}`,
      "will: { topic: pend/online, payload: 'no' }",
      "birth: { topic: pend/online, payload: 'yes' }",
    ])
    await live(running)
    await eventually(() => board.heard.length === 1)
    cable.pull()
    await eventually(() => board.heard.length === 2)
    expect(board.texts('pend/online')).toEqual(['yes', 'no'])
    cable.plug()
    await eventually(() => board.heard.length === 3)

    await running.stop()
    await eventually(() => board.heard.length === 4)
    await using late = await Board.join(broker.port, ['pend/online'])
    await eventually(() => late.heard.length === 1)

    expect(board.texts('pend/online')).toEqual(['yes', 'no', 'yes', 'no'])
    expect(late.heard).toEqual([{ topic: 'pend/online', text: 'no', retained: true }])
    expect(running.instrument.status()).toMatchObject({ state: 'stopped', fault: undefined })
  })

  test('messages that are too long are left out, counted, and not sent again; the others come through', async () => {
    await using broker = await Mosquitto.start()
    await using board = await Board.join(broker.port)
    await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, [
      `protocol: ${protocol}`,
      'maxPayload: 1KiB',
      "subscriptions: [{ filter: 'a/#', qos: 1, template: '${text}', form: text }]",
    ])
    await live(running)
    for (let index = 0; index < 100; index++) await board.say('a/long', Buffer.alloc(100_000, 'x'))
    await board.say('a/edge', 'y'.repeat(1024))
    await board.say('a/just-above', 'z'.repeat(1025))
    await board.say('a/end', 'end')
    await eventually(() => running.browser.heard.includes('end'), { show: () => running.instrument.status() })

    expect(running.browser.heard).toEqual(['y'.repeat(1024), 'end'])
    expect(running.instrument.status()).toMatchObject({ droppedMessages: 101, connects: 1 })
  })
})

test('commands that waited too long are dropped and counted, and make room for new ones', async () => {
  const clock = new FakeClock()
  await using running = runInstrument('mqtt://127.0.0.1:1', [...map, 'commandQueue: 128B'], clock)
  const { browser, instrument } = running
  browser.say('{"set":"speed","to":1}')
  browser.say('{"set":"speed","to":2}')
  expect(instrument.status()).toMatchObject({ waitingCommands: 1, droppedCommands: 1 })

  await clock.advance(5_001)
  browser.say('{"set":"speed","to":3}')
  expect(instrument.status()).toMatchObject({ waitingCommands: 1, droppedCommands: 2 })
  await running.stop()
  expect(instrument.status()).toMatchObject({ waitingCommands: 0, droppedCommands: 3 })
})

test('a command that is too old when the broker is back is not carried out', async () => {
  await using broker = await Mosquitto.start()
  await using cable = await BrokerCable.to(broker.port)
  await using board = await Board.join(broker.port, ['pend/#'])
  cable.pull()
  await using running = runInstrument(`mqtt://127.0.0.1:${cable.port}`, [...map, 'commandAge: 100ms'])
  running.browser.say('{"set":"speed","to":1}')
  await eventually(() => running.instrument.status().reconnects > 1)
  cable.plug()
  await live(running)
  running.browser.say('{"set":"speed","to":2}')
  await eventually(() => board.heard.length > 0)

  expect(board.texts('pend/1/speed')).toEqual(['2'])
  // The board may hear it before the broker's acknowledgement is back.
  await eventually(() => running.instrument.status().publishedMessages === 1)
  expect(running.instrument.status()).toMatchObject({ droppedCommands: 1 })
})

describe('what is kept for viewers who join late', () => {
  const state = [
    "subscriptions: [{ filter: 'state/#', keep: true }, { filter: 'live/#' }]",
    'keptSize: 1KiB',
    "publications: [{ match: '{\"set\":${v:number}}', topic: set, template: '${v}' }]",
  ]

  test('is said again on request, once for many requests at a time, and taken back by an empty message', async () => {
    await using broker = await Mosquitto.start()
    await using board = await Board.join(broker.port)
    await board.say('state/a', '1', true)
    await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, state)
    const { browser, instrument } = running
    await eventually(() => browser.heard.length === 1)
    await board.say('state/a', '2', true)
    await board.say('state/b', '3')
    await board.say('live/c', '4')
    await eventually(() => browser.heard.length === 4)

    for (let index = 0; index < 20; index++) browser.say('{"cmd":"describe"}')
    expect(browser.heard.slice(4)).toEqual(['{"topic":"state/a","value":2}', '{"topic":"state/b","value":3}'])
    await board.say('state/a', '', true)
    await eventually(() => instrument.status().keptTopics === 1)
    await eventually(() => browser.heard.length === 7)

    // The other nineteen were one request, answered a second later.
    expect(browser.heard[6]).toBe('{"topic":"state/b","value":3}')
    expect(instrument.status()).toMatchObject({ refusedCommands: 0 })
  })

  test('is said again by interval where that is asked for', async () => {
    await using broker = await Mosquitto.start()
    await using board = await Board.join(broker.port)
    await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, [...state, 'repeatEvery: 1s'])
    await live(running)
    await board.say('state/a', '1')
    await eventually(() => running.browser.heard.length >= 3)

    expect(new Set(running.browser.heard)).toEqual(new Set(['{"topic":"state/a","value":1}']))
  })

  test('is bounded in bytes however many topics there are', async () => {
    await using broker = await Mosquitto.start()
    await using board = await Board.join(broker.port)
    await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, state)
    await live(running)
    for (let index = 0; index < 60; index++) await board.say(`state/${index}`, 'x'.repeat(40))
    await eventually(() => running.browser.heard.length === 60)

    expect(running.instrument.status().keptBytes).toBeLessThanOrEqual(1024)
    expect(running.instrument.status().keptTopics).toBeGreaterThan(3)
  })
})

test('a flood is dropped and counted, fills no memory, and a command gets through meanwhile', async () => {
  await using broker = await Mosquitto.start()
  await using board = await Board.join(broker.port, ['pend/1/speed'])
  await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, map)
  await live(running)
  const { browser, instrument } = running
  const flooders = await Promise.all([Board.join(broker.port), Board.join(broker.port)])
  const payload = Buffer.alloc(2_000, 'x')
  const flood = (async (): Promise<void> => {
    for (let round = 0; round < 100; round++) {
      for (const { client } of flooders)
        for (let index = 0; index < 100; index++) client.publish('pend/1/angle', payload)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  await eventually(() => instrument.status().droppedMessages > 1_000, { show: () => instrument.status() })
  const saidAtMs = performance.now()
  browser.say('{"set":"speed","to":1}')
  await eventually(() => board.texts('pend/1/speed').length === 1)
  const tookMs = performance.now() - saidAtMs
  await flood
  for (const flooder of flooders) await flooder[Symbol.asyncDispose]()

  const { receivedMessages, droppedMessages, connects } = instrument.status()
  expect(receivedMessages).toBeLessThan(2_000)
  expect(browser.heard).toHaveLength(receivedMessages)
  expect([droppedMessages > 1_000, connects]).toEqual([true, 1])
  expect(tookMs).toBeLessThan(5_000)
})

test('a twin that throws us out is named as the likely reason, and is not fought at full speed', async () => {
  await using broker = await Mosquitto.start()
  await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, ['clientId: rig-1'])
  await live(running)
  await using twin = await Board.join(broker.port, [], { clientId: 'rig-1', reconnectPeriod: 0 })

  await eventually(() => running.instrument.status().fault !== undefined)
  expect(running.instrument.status().fault?.message).toContain('another client has the client id "rig-1"')
  expect(twin.client.connected).toBe(true)
})

test('a broker that lets in and then says nothing is given up by its keep-alive', async () => {
  await using broker = await Mosquitto.start()
  await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, ['keepAlive: 1s'])
  await live(running)
  broker.freeze()
  await eventually(() => running.instrument.status().fault !== undefined)

  expect(running.instrument.status().fault).toMatchObject({ code: 'MQTT_SILENT' })
})

test('topics that the access list forbids are told, and the others work', async () => {
  const forbidden = [
    { acltype: 'subscribeLiteral', topic: 'secret/#', allow: false },
    { acltype: 'publishClientSend', topic: 'other', allow: false },
  ]
  const access = {
    defaultACLAccess: {
      publishClientSend: true,
      publishClientReceive: true,
      subscribe: true,
      unsubscribe: true,
    },
    clients: [],
    roles: [{ rolename: 'guest', acls: forbidden }],
    groups: [{ groupname: 'guests', roles: [{ rolename: 'guest' }] }],
    anonymousGroup: 'guests',
  }
  const plugin = globSync('/usr/lib/*/mosquitto_dynamic_security.so')[0] ?? ''
  await using broker = await Mosquitto.start({
    lines: ['allow_anonymous true', `plugin ${plugin}`, 'plugin_opt_config_file DIR/access.json'],
    files: { 'access.json': JSON.stringify(access) },
  })
  await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, [
    "subscriptions: [{ filter: 'secret/#' }, { filter: 'pend/#', template: '${text}', form: text }]",
    'publications:',
    '  - { match: \'{"a":1}\', topic: pend/set, form: raw }',
    '  - { match: \'{"b":1}\', topic: other, form: raw, qos: 1 }',
  ])
  await live(running)
  const { browser, instrument } = running
  browser.say('{"b":1}')
  browser.say('{"a":1}')
  await eventually(() => browser.heard.length === 1 && instrument.status().refusedCommands === 1, {
    show: () => [browser.heard, instrument.status()],
  })

  expect(browser.heard).toEqual(['{"a":1}'])
  expect(running.lines.join('')).toContain('"filters":["secret/#"]')
})
