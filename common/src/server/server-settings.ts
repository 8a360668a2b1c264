import { Type } from 'typebox'
import { Duration } from '../config/schema.ts'
import { logLevels } from '../log.ts'

/** A port that has another default for each generation of the old programs. */
export const portSetting = (description: string, env: readonly string[], defaultText: string) =>
  Type.Optional(Type.Integer({ description, env, minimum: 0, maximum: 65_535, defaultText }))

/** A limit that may be changed and not be switched off. */
export const limitSetting = (description: string, count: number) =>
  Type.Integer({ description, default: count, minimum: 1, maximum: 1_000_000 })

/** Where a port listens. */
export const hostSetting = () =>
  Type.Optional(Type.String({ description: 'address to listen on', minLength: 1, defaultText: 'all' }))

/** Who the tokens are for; `env` are older names of its variable. */
export const audienceSetting = (env: readonly string[]) =>
  Type.String({
    description:
      'what the `aud` of a token must be, byte for byte: usually the public address of the access API',
    env,
    minLength: 1,
  })

/** Where clients reach the websocket port. */
export const urlSetting = (env: readonly string[]) =>
  Type.String({
    description: 'start of the websocket addresses that are given out, as clients reach the websocket port',
    env,
    pattern: '^wss?://.*[^/]$',
    expected: 'an address that begins with wss:// or ws:// and has no slash at its end',
  })

/** What tokens are verified with, as `KeySource` reads it. */
export const keySettings = (env: { readonly secret?: readonly string[] } = {}) => ({
  secret: Type.Optional(
    Type.String({
      description: 'shared secret of tokens; better in a file, see `secretFiles`',
      secret: true,
      minLength: 1,
      ...(env.secret === undefined ? {} : { env: env.secret }),
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
})

/** Proxies that stand before the ports, as `ClientAddress` takes them. */
export const trustedProxiesSetting = () =>
  Type.Array(Type.String({ minLength: 1 }), {
    description: 'addresses or networks whose `X-Forwarded-For` is believed, besides loopback',
    default: [],
  })

/** What an access API takes from whom. */
export const accessLimitSettings = () => ({
  corsOrigins: Type.Array(Type.String({ minLength: 1 }), {
    description: 'origins that get CORS headers, `*` for all. Leave it empty where a proxy adds them',
    default: [],
  }),
  addressRequests: limitSetting('requests of one address (IPv6: one /64) within `per`', 3000),
  refusedRequests: limitSetting(
    'refused tokens of one address within `per`; more are answered with 429',
    300,
  ),
  subjectRequests: limitSetting(
    'addresses given out to one booking and topic, or one token, within `per`',
    1500,
  ),
  per: Duration({ description: 'the time in which the limits above count', default: '10s' }),
})

/** How long a stop may take. */
export const drainSetting = () =>
  Duration({ description: 'how long connections may take to end when the relay stops', default: '3s' })

/** What is logged. */
export const logLevelSetting = (env: readonly string[] = []) =>
  Type.Enum([...logLevels], {
    description: 'least level that is logged, to stdout',
    default: 'info',
    ...(env.length === 0 ? {} : { env }),
  })

/** Where metrics are served. */
export const metricsHostSetting = () =>
  Type.String({ description: 'address to listen on', minLength: 1, default: '127.0.0.1' })
