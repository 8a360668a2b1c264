import { invalidConfig } from '@relay/common/config/invalid-config'
import type { BrokerOptions, Notice } from './broker-link.ts'
import { standardClientId } from './client-id.ts'
import { compileTopicMap, type TopicMap } from './compile-topic-map.ts'
import type { MqttInstrumentConfig } from './mqtt-config.ts'
import { parseBroker } from './parse-broker.ts'

export interface MqttInstrumentOptions {
  readonly name: string
  readonly feed: string
  readonly broker: BrokerOptions
  readonly birth: Notice | undefined
  readonly map: TopicMap
  readonly maxPayloadBytes: number
  readonly commandQueueBytes: number
  readonly commandAgeMs: number
  readonly keptBytes: number
  /** 0: never. */
  readonly repeatEveryMs: number
}

/** What topic and properties may take beside the payload of a message. */
const packetOverheadBytes = 1024

/**
 * An instrument behind a broker as the configuration describes it.
 * @throws {ConfigError} `CONFIG_INVALID` for what `checkMqtt` would have told.
 */
export function mqttOptions(config: MqttInstrumentConfig): MqttInstrumentOptions {
  const parsed = parseBroker(config.broker)
  const map = compileTopicMap(config)
  const problem = parsed.ok ? map.problems[0]?.what : parsed.problem
  if (!parsed.ok || problem !== undefined)
    throw invalidConfig('relay-agent', [{ where: `mqttInstruments, ${config.name}`, what: problem ?? '' }])
  const { name, feed, protocol, username, passwordFile, caFile, certFile, keyFile } = config
  const { host, port, isTls, shown } = parsed.place
  const clientId = config.clientId === '' ? standardClientId(name, shown) : config.clientId
  return {
    name,
    feed,
    broker: {
      address: { host, port, isTls },
      names: { broker: shown, clientId, username },
      protocol,
      files: { passwordFile, caFile, certFile, keyFile },
      keepAliveSec: Math.max(1, Math.round(config.keepAlive / 1000)),
      connectTimeoutMs: config.connectTimeout,
      isClean: config.cleanSession,
      sessionExpirySec: Math.round(config.sessionExpiry / 1000),
      will: noticeOf(config.will),
      maxPacketBytes: config.maxPayload + packetOverheadBytes,
    },
    birth: noticeOf(config.birth),
    map,
    maxPayloadBytes: config.maxPayload,
    commandQueueBytes: config.commandQueue,
    commandAgeMs: config.commandAge,
    keptBytes: config.keptSize,
    repeatEveryMs: config.repeatEvery,
  }
}

function noticeOf(notice: Notice): Notice | undefined {
  return notice.topic === '' ? undefined : notice
}
