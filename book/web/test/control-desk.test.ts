import { expect, onTestFinished, test, vi } from 'vitest'
import { ControlDesk } from '../src/controls/control-desk.ts'
import { noSettings, type Settings } from '../src/controls/settings.ts'
import { DataFeed } from '../src/data/data-feed.ts'
import { TestRelay } from './test-relay.ts'

const patience = { timeout: 8000, interval: 20 }
const stopLine = '{"cmd":"stop"}'
const describeLine = '{"cmd":"describe"}'

interface Opened {
  readonly relay: TestRelay
  readonly feed: DataFeed
  readonly desk: ControlDesk
}

/** An instrument behind a relay, and the desk of a viewer; all end with the test. */
async function open(settings: Settings = noSettings, canWrite = true): Promise<Opened> {
  const relay = await TestRelay.listen()
  const feed = new DataFeed({
    for: 'data',
    url: relay.url,
    token: 'a.b.c',
    canRead: true,
    canWrite,
    expiresAtMs: undefined,
  })
  const desk = new ControlDesk(feed, settings)
  const left = new AbortController()
  desk.run(left.signal)
  const finished = feed.run(left.signal)
  onTestFinished(async () => {
    left.abort()
    await finished
    await relay[Symbol.asyncDispose]()
  })
  await vi.waitFor(() => expect(feed.link.state.value.kind).toBe('open'), patience)
  return { relay, feed, desk }
}

test('the instrument is asked for its controls, and what it says is shown', async () => {
  const { relay, desk } = await open()
  await vi.waitFor(() => expect(relay.received).toContain(describeLine), patience)
  relay.send('{"report":"describe","controls":[{"param":"speed","min":0,"max":9}],"stop":{"halt":1}}')
  await vi.waitFor(() => expect(desk.source.value).toBe('instrument'), patience)

  expect(desk.controls.value.controls.map(({ param }) => param)).toEqual(['speed'])
  desk.stop()
  await vi.waitFor(() => expect(relay.received).toContain('{"halt":1}'), patience)
})

test('an instrument that does not describe itself gets the usual controls', async () => {
  const { desk } = await open()
  await vi.waitFor(() => expect(desk.source.value).toBe('default'), patience)

  expect(desk.controls.value.controls.map(({ param }) => param)).toEqual(['target'])
})

test('settings with controls win, and the instrument is not asked', async () => {
  const control = {
    param: 'v',
    label: 'V',
    min: 0,
    max: 1,
    step: 0.1,
    unit: '',
    value: undefined,
    send: { v: '$value' },
  }
  const controls = { controls: [control], stop: { cmd: 'stop' }, start: undefined }
  const { relay, desk } = await open({ ...noSettings, controls, mayDescribe: false })
  desk.setPoint(control, 0.5)
  await vi.waitFor(() => expect(relay.received).toContain('{"v":0.5}'), patience)
  relay.send('{"report":"describe","controls":[]}')
  relay.send('{"error":"marks the end"}')

  expect(relay.received).not.toContain(describeLine)
  expect(desk.controls.value).toBe(controls)
})

test('stop pressed while the link is down goes first when it is back, and no older set-point follows', async () => {
  const { relay, feed, desk } = await open()
  await vi.waitFor(() => expect(relay.received).toContain(describeLine), patience)
  const [target] = desk.controls.value.controls
  if (target === undefined) throw new Error('no control')
  relay.access = 'reset'
  relay.cut()
  await vi.waitFor(() => expect(feed.link.state.value.kind).toBe('retrying'), patience)
  relay.received.length = 0

  desk.setPoint(target, 2)
  desk.stop()
  expect(desk.stopState.value.kind).toBe('waiting')
  expect([...desk.unsent.value]).toEqual(['target'])
  relay.access = 'address'
  feed.link.dialNow()
  await vi.waitFor(() => expect(relay.received).toContain(describeLine), patience)

  expect(relay.received[0]).toBe(stopLine)
  expect(relay.received.filter((line) => line.includes('"set"'))).toEqual([])
  expect(desk.stopState.value.kind).toBe('sent')
})

test('stop drops the set-points that wait', async () => {
  const { relay, desk } = await open()
  const [target] = desk.controls.value.controls
  if (target === undefined) throw new Error('no control')
  for (const value of [1, 2, 3]) desk.setPoint(target, value)
  desk.stop()
  await vi.waitFor(() => expect(relay.received).toContain(stopLine), patience)
  // Goes through the same queue, so that it would come after whatever still waited there.
  desk.setPoint({ ...target, param: 'probe', send: { probe: '$value' } }, 1)
  await vi.waitFor(() => expect(relay.received).toContain('{"probe":1}'), patience)

  const afterStop = relay.received.slice(relay.received.indexOf(stopLine))
  expect(afterStop.filter((line) => line.includes('"set"'))).toEqual([])
})

test('who may only watch sends nothing', async () => {
  const { relay, feed } = await open(noSettings, false)
  relay.send('{"t":1,"angle":0.5}')
  await vi.waitFor(() => expect(feed.fields.value).toEqual(['angle']), patience)

  expect(relay.received).toEqual([])
})

test('the way to the instrument is measured, and others’ answers are not taken for ours', async () => {
  const { relay, feed } = await open()
  relay.onConnection = () => undefined
  await vi.waitFor(() => expect(relay.received.some((line) => line.includes('ping'))).toBe(true), patience)
  const ping = relay.received.find((line) => line.includes('ping')) ?? '{}'
  const { id } = JSON.parse(ping) as { readonly id: number }
  relay.send(`{"pong":${id + 1_000_000}}`)
  relay.send(`{"pong":${id}}{"t":5,"angle":1}`)
  await vi.waitFor(() => expect(feed.latency.value?.kind).toBe('round-trip'), patience)

  expect(feed.history.newest('angle')).toBe(1)
  expect(feed.latency.value?.ms).toBeLessThan(5000)
})

test('a sample that was cut by a serial adaptor, in binary messages, is put together', async () => {
  const { relay, feed } = await open()
  const bytes = Buffer.from('{"t":1,"größe":2.5,"running":true}\n')
  for (const socket of relay.sockets) {
    socket.send(bytes.subarray(0, 11))
    socket.send(bytes.subarray(11))
  }
  await vi.waitFor(() => expect(feed.history.newest('größe')).toBe(2.5), patience)

  expect(feed.flags.get('running')).toBe(true)
})
