import type { Finding } from '../check-config.ts'
import type { AgentConfig } from '../config.ts'
import { isStream } from '../feeds/feed-hub.ts'
import { compileTopicMap } from './compile-topic-map.ts'
import type { MqttInstrumentConfig } from './mqtt-config.ts'
import { type BrokerPlace, parseBroker } from './parse-broker.ts'
import { topicProblem } from './topic-filter.ts'

type Row = readonly [key: string, value: number, least: number, text: string, reason: string]

/** What does not fit together in the instruments behind brokers. Pure. */
export function checkMqtt(config: AgentConfig): readonly Finding[] {
  return config.mqttInstruments.flatMap((instrument, index) => {
    const base = `/mqttInstruments/${index}`
    const at = (key: string, what: string): Finding => ({ pointer: `${base}/${key}`, what })
    return [
      ...checkPlace(config, index).map(([key, what]) => at(key, what)),
      ...checkBroker(instrument).map(([key, what]) => at(key, what)),
      ...checkNotices(instrument).map(([key, what]) => at(key, what)),
      ...checkValues(instrument).map(([key, what]) => at(key, what)),
      ...compileTopicMap(instrument).problems.map(({ pointer, what }) => ({
        pointer: `${base}${pointer}`,
        what,
      })),
    ]
  })
}

type Told = readonly (readonly [key: string, what: string])[]

function checkPlace(config: AgentConfig, index: number): Told {
  const { mqttInstruments, instruments, cameras } = config
  const instrument = mqttInstruments[index]
  if (instrument === undefined) return []
  const { name, feed } = instrument
  const earlier = mqttInstruments.slice(0, index)
  const told: (readonly [string, string])[] = []
  if (earlier.some((other) => other.name === name)) told.push(['name', `"${name}" stands above already`])
  if (isStream(feed)) told.push(['feed', 'an instrument needs a feed, and this is the name of a stream'])
  else if ([...earlier, ...instruments].some((other) => other.feed === feed))
    told.push([
      'feed',
      `"${feed}" is the feed of another instrument: each would get what the other measures as a command`,
    ])
  else if (cameras.some((camera) => camera.feed === feed))
    told.push(['feed', `"${feed}" is the feed of a camera: its video would be taken for commands`])
  return told
}

function checkBroker(instrument: MqttInstrumentConfig): Told {
  const { broker, username, passwordFile, caFile, certFile, keyFile } = instrument
  const parsed = parseBroker(broker)
  if (!parsed.ok) return [['broker', parsed.problem]]
  const told: (readonly [string, string])[] = []
  if (passwordFile !== '' && username === '') told.push(['username', 'it is needed with passwordFile'])
  if ((certFile === '') !== (keyFile === ''))
    told.push([certFile === '' ? 'certFile' : 'keyFile', 'certFile and keyFile are needed together'])
  if (!parsed.place.isTls && [caFile, certFile].some((file) => file !== ''))
    told.push(['broker', 'the certificates are of no use without TLS: write mqtts://'])
  return told
}

function checkNotices({ will, birth }: MqttInstrumentConfig): Told {
  return [['will', will] as const, ['birth', birth] as const].flatMap(([key, { topic }]) => {
    const problem = topic === '' ? undefined : topicProblem(topic)
    return problem === undefined ? [] : [[`${key}/topic`, problem] as const]
  })
}

function checkValues(instrument: MqttInstrumentConfig): Told {
  const { keepAlive, connectTimeout, sessionExpiry, maxPayload, commandQueue, commandAge, repeatEvery } =
    instrument
  const rows: readonly Row[] = [
    ['keepAlive', keepAlive, 1_000, '1s', 'a busy board would give up a broker that is there'],
    ['connectTimeout', connectTimeout, 500, '500ms', 'no broker would answer in time'],
    ['maxPayload', maxPayload, 16, '16B', 'all that it says would be left out'],
    ['commandQueue', commandQueue, 128, '128B', 'no command would fit, not even one to stop'],
    ['commandAge', commandAge, 100, '100ms', 'commands would be dropped before they are sent'],
    ['repeatEvery', repeatEvery === 0 ? 1_000 : repeatEvery, 1_000, '1s', 'little else would be said'],
  ]
  const told = rows
    .filter(([, value, least]) => value < least)
    .map(([key, , , text, reason]) => [key, `${text} is the least: with less ${reason}`] as const)
  const most: readonly (readonly [key: string, value: number, most: number, what: string])[] = [
    // Two bytes hold it (MQTT 5, 3.1.2.10), and four (3.1.2.11.2).
    ['keepAlive', keepAlive, 65_535_000, 'more than 18 hours do not fit'],
    ['sessionExpiry', sessionExpiry, 4_294_967_294_000, 'more than 136 years do not fit'],
    // A message is held in memory as a whole (MQTT 5, 1.5.5 allows no more).
    ['maxPayload', maxPayload, 268_000_000, 'more than 255MiB do not fit into a message'],
  ]
  return [
    ...told,
    ...most.filter(([, value, limit]) => value > limit).map(([key, , , what]) => [key, what] as const),
  ]
}

/** What will work and is not wise. Pure. */
export function warnOfMqtt(config: AgentConfig): readonly Finding[] {
  return config.mqttInstruments.flatMap(({ broker, passwordFile }, index) => {
    const parsed = parseBroker(broker)
    if (passwordFile === '' || !parsed.ok || parsed.place.isTls || isLocal(parsed.place)) return []
    return [
      {
        pointer: `/mqttInstruments/${index}/broker`,
        what: 'the password goes over the network in the clear: write mqtts:// if the broker can do it',
      },
    ]
  })
}

function isLocal({ host }: BrokerPlace): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** The keys of an instrument that are names of files. */
export const mqttFileKeys = ['passwordFile', 'caFile', 'certFile', 'keyFile'] as const

/** Instruments whose files have the names that `resolve` gives them. Pure. */
export function withMqttPaths(
  instruments: AgentConfig['mqttInstruments'],
  resolve: (name: string) => string,
): AgentConfig['mqttInstruments'] {
  return instruments.map((instrument) => {
    const paths = mqttFileKeys.map((key) => [key, instrument[key] === '' ? '' : resolve(instrument[key])])
    return {
      ...instrument,
      ...(Object.fromEntries(paths) as Pick<MqttInstrumentConfig, (typeof mqttFileKeys)[number]>),
    }
  })
}
