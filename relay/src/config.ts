import type { ConfigSources } from '@relay/common/config/load-config'
import { Bytes, Duration, Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import { loadServerConfig, type SettingRange } from '@relay/common/server/load-server-config'
import { oldEnvironment } from '@relay/common/server/old-environment'
import {
  accessLimitSettings,
  audienceSetting,
  drainSetting,
  hostSetting,
  keySettings,
  limitSetting,
  logLevelSetting,
  metricsHostSetting,
  portSetting,
  trustedProxiesSetting,
  urlSetting,
} from '@relay/common/server/server-settings'
import { type StaticDecode, Type } from 'typebox'

/** Whose names, defaults and reports are in force: `session relay` is v0.2.2, `relay serve` is 0.9.3. */
export type Generation = '0.2.2' | '0.9.3'

const schema = Section({
  audience: audienceSetting(['RELAY_ACCESSFQDN']),
  url: urlSetting(['RELAY_RELAYFQDN']),
  ...keySettings(),
  allowNoBookingId: Type.Optional(
    Type.Boolean({
      description: 'accept tokens without a booking id',
      defaultText: 'false, with session relay true',
    }),
  ),
  trustedProxies: trustedProxiesSetting(),
  access: Section({
    port: portSetting(
      'port of the access API; 0: a free one',
      ['RELAY_PORT_ACCESS', 'RELAY_ACCESSPORT'],
      '3000, with session relay 8082',
    ),
    host: hostSetting(),
    ...accessLimitSettings(),
  }),
  relay: Section({
    port: portSetting(
      'port of the websocket relay; 0: a free one',
      ['RELAY_PORT_RELAY', 'RELAY_RELAYPORT'],
      '3001, with session relay 8083',
    ),
    host: hostSetting(),
    maxConnections: limitSetting('most websockets', 20_000),
    maxConnectionsPerSubject: limitSetting('most websockets of one booking and topic, or of one token', 2000),
    maxCodes: limitSetting('most one-time codes that wait; above it the oldest give way', 100_000),
    maxBookings: limitSetting('most entries of the deny list, and of the allow list', 100_000),
    maxBufferedBytes: Bytes({
      description: 'what may wait for one slow reader; over it binary messages are dropped',
      default: '4MiB',
    }),
    maxBufferedTextBytes: Bytes({
      description:
        'the same for text messages; over it the reader is closed, as text is never dropped silently',
      default: '16MiB',
    }),
    maxRetainedBytes: Bytes({
      description: 'what may wait for all slow readers together, shared messages counted once',
      default: '512MiB',
    }),
    maxUnfinishedBytes: Bytes({
      description: 'what all peers together may have sent of messages that are not whole yet',
      default: '256MiB',
    }),
    stalledAfter: Duration({
      description: 'a reader whose socket takes nothing for so long is cut off',
      default: '10s',
    }),
  }),
  statsEvery: Duration({
    description: 'reports on the topic `stats` come this often, and one second more',
    default: '5s',
  }),
  tidyEvery: Duration({ description: 'how often ended bookings are taken off the lists', default: '5m' }),
  drainWithin: drainSetting(),
  logLevel: logLevelSetting(),
  metrics: Section({
    port: portSetting(
      'port of `/metrics`; 0: none',
      ['RELAY_PORT_METRICS'],
      '3002, with session relay 8084; none where that is taken',
    ),
    host: metricsHostSetting(),
  }),
})

/** The one description of the relay's settings. */
export const relaySpec: ConfigSpec<typeof schema> = { program: 'relay', envPrefix: 'RELAY', schema }

type Loaded = Readonly<StaticDecode<typeof schema>>

/** All settings, with the defaults of the generation filled in. */
export interface RelayConfig extends Loaded {
  /** The settings alone, as they were given. */
  readonly given: Loaded
  readonly generation: Generation
  readonly ports: { readonly access: number; readonly relay: number; readonly metrics: number }
  /** Whether somebody asked for metrics on just that port. */
  readonly isMetricsPortGiven: boolean
  readonly isBookingIdOptional: boolean
  /** Old settings that were given and mean nothing here, for a warning. */
  readonly ignoredSettings: readonly string[]
}

const defaults = {
  '0.2.2': { access: 8082, relay: 8083, metrics: 8084, isBookingIdOptional: true },
  '0.9.3': { access: 3000, relay: 3001, metrics: 3002, isBookingIdOptional: false },
} as const

/**
 * Merges and checks the settings of the relay.
 * @throws {ConfigError} `CONFIG_INVALID` with every problem, also where no token could ever be verified.
 */
export function loadRelayConfig(generation: Generation, sources: ConfigSources): RelayConfig {
  const { environment, ignored } = oldEnvironment(sources.environment ?? {}, {
    oldPrefix: 'RELAY',
    ownPrefix: 'RELAY',
    bufferSetting: 'relay.maxBufferedBytes',
  })
  const loaded = loadServerConfig(relaySpec, { ...sources, environment }, rangesOf)
  const generationDefaults = defaults[generation]
  return {
    ...loaded,
    given: loaded,
    generation,
    ports: {
      access: loaded.access.port ?? generationDefaults.access,
      relay: loaded.relay.port ?? generationDefaults.relay,
      metrics: loaded.metrics.port ?? generationDefaults.metrics,
    },
    isMetricsPortGiven: loaded.metrics.port !== undefined,
    isBookingIdOptional: loaded.allowNoBookingId ?? generationDefaults.isBookingIdOptional,
    ignoredSettings: ignored,
  }
}

function rangesOf({
  access,
  relay,
  keysEvery,
  statsEvery,
  tidyEvery,
  drainWithin,
}: Loaded): readonly SettingRange[] {
  const kib = 1024
  return [
    { where: 'keysEvery', value: keysEvery, least: 100, wanted: 'at least 100ms' },
    { where: 'access.per', value: access.per, least: 1000, wanted: 'at least 1s' },
    { where: 'statsEvery', value: statsEvery, least: 100, wanted: 'at least 100ms' },
    { where: 'tidyEvery', value: tidyEvery, least: 1000, wanted: 'at least 1s' },
    {
      where: 'drainWithin',
      value: drainWithin,
      least: 0,
      most: 4000,
      wanted: 'at most 4s: the relay ends within 5 s',
    },
    { where: 'relay.stalledAfter', value: relay.stalledAfter, least: 1000, wanted: 'at least 1s' },
    {
      where: 'relay.maxBufferedBytes',
      value: relay.maxBufferedBytes,
      least: 64 * kib,
      wanted: 'at least 64KiB',
    },
    {
      where: 'relay.maxBufferedTextBytes',
      value: relay.maxBufferedTextBytes,
      least: 64 * kib,
      wanted: 'at least 64KiB',
    },
    {
      where: 'relay.maxRetainedBytes',
      value: relay.maxRetainedBytes,
      least: kib * kib,
      wanted: 'at least 1MiB',
    },
    {
      where: 'relay.maxUnfinishedBytes',
      value: relay.maxUnfinishedBytes,
      least: kib * kib,
      wanted: 'at least 1MiB',
    },
  ]
}
