import type { ConfigSources } from '@relay/common/config/load-config'
import { Bytes, Duration, Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import { loadServerConfig, type SettingRange } from '@relay/common/server/load-server-config'
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
import type { StaticDecode } from 'typebox'
import { oldShellEnvironment } from './old-shell-environment.ts'

/** Whose defaults are in force: those of v0.2.2, or those of its successor, which are ours too. */
export type Generation = 'shell' | 'jump'

const schema = Section({
  audience: audienceSetting(['SHELLRELAY_ACCESSFQDN', 'JUMP_RELAY_AUDIENCE']),
  url: urlSetting(['SHELLRELAY_RELAYFQDN', 'JUMP_RELAY_URL']),
  ...keySettings({ secret: ['JUMP_RELAY_SECRET'] }),
  trustedProxies: trustedProxiesSetting(),
  access: Section({
    port: portSetting(
      'port of the access API; 0: a free one',
      ['SHELLRELAY_ACCESSPORT', 'JUMP_RELAY_PORT_ACCESS'],
      '3002, with shell relay 8080',
    ),
    host: hostSetting(),
    ...accessLimitSettings(),
  }),
  relay: Section({
    port: portSetting(
      'port of the websocket relay; 0: a free one',
      ['SHELLRELAY_RELAYPORT', 'JUMP_RELAY_PORT_RELAY'],
      '3003, with shell relay 8081',
    ),
    host: hostSetting(),
    maxConnections: limitSetting('most websockets', 20_000),
    maxSessionsPerId: limitSetting('most connections of clients with one experiment', 1000),
    maxHostsPerId: limitSetting('most hosts that hold an experiment; all but the newest stand by', 8),
    maxSessionsPerAddress: limitSetting('most connections of clients from one address (IPv6: one /64)', 1000),
    maxWaitingPerId: limitSetting('most clients that wait for the host of one experiment', 32),
    maxCodes: limitSetting('most one-time codes that wait; above it the oldest give way', 100_000),
    maxBookings: limitSetting('most entries of the deny list, and of the allow list', 100_000),
    waitForHost: Duration({
      description: 'how long a client is kept that came before its host',
      default: '2m',
    }),
    maxOldBufferedBytes: Bytes({
      description:
        'what is taken from an old end before the other end has taken it: old ends lose bytes when they are held up, and ssh never has so much under way',
      default: '16MiB',
    }),
    maxRetainedBytes: Bytes({
      description: 'what may wait for all slow ends together; above it the largest are given up',
      default: '512MiB',
    }),
    maxUnfinishedBytes: Bytes({
      description: 'what all peers together may have sent of messages that are not whole yet',
      default: '256MiB',
    }),
    stalledAfter: Duration({
      description: 'an end whose socket takes nothing for so long is given up',
      default: '2m',
    }),
  }),
  statsEvery: Duration({
    description: 'reports on the id `stats` come this often, and one second more',
    env: ['JUMP_RELAY_STATS_EVERY'],
    default: '5s',
  }),
  tidyEvery: Duration({
    description: 'how often ended bookings are taken off the lists',
    env: ['JUMP_RELAY_TIDY_EVERY'],
    default: '5m',
  }),
  drainWithin: drainSetting(),
  logLevel: logLevelSetting(['JUMP_RELAY_LOG_LEVEL']),
  metrics: Section({
    port: portSetting(
      'port of `/metrics`; 0: none',
      ['SHELLRELAY_PORT_METRICS'],
      '3006, with shell relay 8086; none where that is taken',
    ),
    host: metricsHostSetting(),
  }),
})

/** The one description of the shell relay's settings. */
export const shellRelaySpec: ConfigSpec<typeof schema> = { program: 'shell', envPrefix: 'SHELLRELAY', schema }

type Loaded = Readonly<StaticDecode<typeof schema>>

/** All settings, with the defaults of the generation filled in. */
export interface ShellRelayConfig extends Loaded {
  /** The settings alone, as they were given. */
  readonly given: Loaded
  readonly generation: Generation
  readonly ports: { readonly access: number; readonly relay: number; readonly metrics: number }
  /** Whether somebody asked for metrics on just that port. */
  readonly isMetricsPortGiven: boolean
  /** Old settings that were given and mean nothing here, for a warning. */
  readonly ignoredSettings: readonly string[]
}

const defaultPorts = {
  shell: { access: 8080, relay: 8081, metrics: 8086 },
  jump: { access: 3002, relay: 3003, metrics: 3006 },
} as const

/**
 * Merges and checks the settings of the shell relay.
 * @throws {ConfigError} `CONFIG_INVALID` with every problem, also where no token could ever be verified.
 */
export function loadShellRelayConfig(generation: Generation, sources: ConfigSources): ShellRelayConfig {
  const { environment, ignored } = oldShellEnvironment(sources.environment ?? {})
  const loaded = loadServerConfig(shellRelaySpec, { ...sources, environment }, rangesOf)
  const defaults = defaultPorts[generation]
  return {
    ...loaded,
    given: loaded,
    generation,
    ports: {
      access: loaded.access.port ?? defaults.access,
      relay: loaded.relay.port ?? defaults.relay,
      metrics: loaded.metrics.port ?? defaults.metrics,
    },
    isMetricsPortGiven: loaded.metrics.port !== undefined,
    ignoredSettings: ignored,
  }
}

const mib = 1_048_576

function rangesOf(loaded: Loaded): readonly SettingRange[] {
  const { access, relay, keysEvery, statsEvery, tidyEvery, drainWithin } = loaded
  const atLeastMib = (where: string, value: number, mibs: number): SettingRange => ({
    where,
    value,
    least: mibs * mib,
    wanted: `at least ${mibs}MiB`,
  })
  return [
    { where: 'keysEvery', value: keysEvery, least: 100, wanted: 'at least 100ms' },
    { where: 'access.per', value: access.per, least: 1000, wanted: 'at least 1s' },
    { where: 'statsEvery', value: statsEvery, least: 1000, wanted: 'at least 1s' },
    { where: 'tidyEvery', value: tidyEvery, least: 1000, wanted: 'at least 1s' },
    {
      where: 'drainWithin',
      value: drainWithin,
      least: 0,
      most: 4000,
      wanted: 'at most 4s: the relay ends within 5 s',
    },
    { where: 'relay.waitForHost', value: relay.waitForHost, least: 1000, wanted: 'at least 1s' },
    { where: 'relay.stalledAfter', value: relay.stalledAfter, least: 1000, wanted: 'at least 1s' },
    atLeastMib('relay.maxOldBufferedBytes', relay.maxOldBufferedBytes, 4),
    atLeastMib('relay.maxRetainedBytes', relay.maxRetainedBytes, 16),
    atLeastMib('relay.maxUnfinishedBytes', relay.maxUnfinishedBytes, 16),
  ]
}
