import { ConfigError } from '@relay/common/errors'
import { logLevels } from '@relay/common/log'
import { invalidConfig } from '@relay/common/config/invalid-config'
import { type ConfigSources, loadConfig } from '@relay/common/config/load-config'
import { Bytes, Duration, Section } from '@relay/common/config/schema'
import { type ConfigSpec, settingsOf } from '@relay/common/config/settings'
import { type StaticDecode, Type } from 'typebox'
import { isAddressOrNetwork } from './client-address.ts'
import { oldEnvironment } from './old-environment.ts'

/** Whose names, defaults and reports are in force: `session relay` is v0.2.2, `relay serve` is 0.9.3. */
export type Generation = '0.2.2' | '0.9.3'

const port = (description: string, env: readonly string[], defaultText: string) =>
  Type.Optional(Type.Integer({ description, env, minimum: 0, maximum: 65_535, defaultText }))

const limit = (description: string, count: number) =>
  Type.Integer({ description, default: count, minimum: 1, maximum: 1_000_000 })

const schema = Section({
  audience: Type.String({
    description:
      'what the `aud` of a token must be, byte for byte: usually the public address of the access API',
    env: ['RELAY_ACCESSFQDN'],
    minLength: 1,
  }),
  url: Type.String({
    description: 'start of the websocket addresses that are given out, as clients reach the websocket port',
    env: ['RELAY_RELAYFQDN'],
    pattern: '^wss?://.*[^/]$',
    expected: 'an address that begins with wss:// or ws:// and has no slash at its end',
  }),
  secret: Type.Optional(
    Type.String({
      description: 'shared secret of tokens; better in a file, see `secretFiles`',
      secret: true,
      minLength: 1,
    }),
  ),
  secretFiles: Type.Array(Type.String({ minLength: 1 }), {
    description:
      'files of shared secrets, one in each line; a bare name is a systemd credential. All are valid at once',
    default: [],
  }),
  keyDirectory: Type.Optional(
    Type.String({
      description:
        'folder of `*.jwk` files: public keys of devices. Removing a file retires its device within seconds',
      minLength: 1,
    }),
  ),
  keysEvery: Duration({ description: 'how often secret files and key folder are read again', default: '2s' }),
  allowNoBookingId: Type.Optional(
    Type.Boolean({
      description: 'accept tokens without a booking id',
      defaultText: 'false, with session relay true',
    }),
  ),
  trustedProxies: Type.Array(Type.String({ minLength: 1 }), {
    description: 'addresses or networks whose `X-Forwarded-For` is believed, besides loopback',
    default: [],
  }),
  access: Section({
    port: port(
      'port of the access API; 0: a free one',
      ['RELAY_PORT_ACCESS', 'RELAY_ACCESSPORT'],
      '3000, with session relay 8082',
    ),
    host: Type.Optional(
      Type.String({ description: 'address to listen on', minLength: 1, defaultText: 'all' }),
    ),
    corsOrigins: Type.Array(Type.String({ minLength: 1 }), {
      description: 'origins that get CORS headers, `*` for all. Leave it empty where a proxy adds them',
      default: [],
    }),
    addressRequests: limit('requests of one address (IPv6: one /64) within `per`', 3000),
    refusedRequests: limit('refused tokens of one address within `per`; more are answered with 429', 300),
    subjectRequests: limit('addresses given out to one booking and topic, or one token, within `per`', 1500),
    per: Duration({ description: 'the time in which the limits above count', default: '10s' }),
  }),
  relay: Section({
    port: port(
      'port of the websocket relay; 0: a free one',
      ['RELAY_PORT_RELAY', 'RELAY_RELAYPORT'],
      '3001, with session relay 8083',
    ),
    host: Type.Optional(
      Type.String({ description: 'address to listen on', minLength: 1, defaultText: 'all' }),
    ),
    maxConnections: limit('most websockets', 20_000),
    maxConnectionsPerSubject: limit('most websockets of one booking and topic, or of one token', 2000),
    maxCodes: limit('most one-time codes that wait; above it the oldest give way', 100_000),
    maxBookings: limit('most entries of the deny list, and of the allow list', 100_000),
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
  drainWithin: Duration({
    description: 'how long connections may take to end when the relay stops',
    default: '3s',
  }),
  logLevel: Type.Enum([...logLevels], {
    description: 'least level that is logged, to stdout',
    default: 'info',
  }),
  metrics: Section({
    port: port(
      'port of `/metrics`; 0: none',
      ['RELAY_PORT_METRICS'],
      '3002, with session relay 8084; none where that is taken',
    ),
    host: Type.String({ description: 'address to listen on', minLength: 1, default: '127.0.0.1' }),
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
  const { environment, ignored } = oldEnvironment(sources.environment ?? {})
  const loaded = loadSettings({ ...sources, environment })
  const wrongProxies = loaded.trustedProxies.filter((entry) => !isAddressOrNetwork(entry))
  if (wrongProxies.length > 0) {
    const what = `"${wrongProxies.join('", "')}" is no IP address and no network such as 10.0.0.0/8`
    throw invalidConfig('relay', [{ where: 'trustedProxies', what }])
  }
  const outside = limitsOf(loaded).filter(
    ({ value, least, most = Infinity }) => value < least || value > most,
  )
  if (outside.length > 0) {
    throw invalidConfig(
      'relay',
      outside.map(({ where, wanted }) => ({ where, what: `it must be ${wanted}` })),
    )
  }
  if (!hasKeys(loaded)) throw invalidConfig('relay', [secretMissing])
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

interface Limit {
  readonly where: string
  readonly value: number
  readonly least: number
  readonly most?: number
  readonly wanted: string
}

/** Outside of these a setting would switch a protection off, keep the relay busy with itself, or break a promise. */
function limitsOf({
  access,
  relay,
  keysEvery,
  statsEvery,
  tidyEvery,
  drainWithin,
}: Loaded): readonly Limit[] {
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

const secretMissing = {
  where: 'secret',
  what: 'no secret and no keys are set, so that no token could be verified; set RELAY_SECRET, or --secret-files or --key-directory',
}

function hasKeys({ secret, secretFiles, keyDirectory }: Partial<Loaded>): boolean {
  return (secret ?? '') !== '' || (secretFiles ?? []).length > 0 || keyDirectory !== undefined
}

/** Without a file the lack of a secret is told together with all else that is wrong. */
function loadSettings(sources: ConfigSources): Loaded {
  try {
    return loadConfig(relaySpec, sources)
  } catch (error) {
    const problems = error instanceof ConfigError ? error.details['problems'] : undefined
    if (!Array.isArray(problems) || sources.file !== undefined || isKeySourceNamed(sources)) throw error
    const others = problems.map((problem) => {
      const [where = '', ...what] = String(problem).split(': ')
      return { where, what: what.join(': ') }
    })
    throw invalidConfig('relay', [...others, secretMissing])
  }
}

function isKeySourceNamed({ environment = {}, arguments: given = {} }: ConfigSources): boolean {
  return settingsOf(relaySpec)
    .filter(({ path }) => ['secret', 'secretFiles', 'keyDirectory'].includes(path.join('.')))
    .some(
      ({ env, argument }) =>
        given[argument] !== undefined || env.some((name) => (environment[name] ?? '') !== ''),
    )
}
