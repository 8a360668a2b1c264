import { Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import type { LogLevel } from '@relay/common/log'
import { type StaticDecode, Type } from 'typebox'

/** What the host of the old programs takes from its environment (spec session 2.2), under our names too. */
export const hostSpec = {
  program: 'relay-agent host',
  envPrefix: 'RELAY_AGENT',
  schema: Section({
    localApi: Section({
      host: Type.String({
        description: 'localhost, an address, or * for every address of the machine',
        default: 'localhost',
        minLength: 1,
      }),
      port: Type.Integer({
        description: 'port of the local API',
        minimum: 0,
        maximum: 65_535,
        default: 8888,
        env: ['VW_PORT'],
      }),
    }),
    log: Section({
      level: Type.String({
        description: 'panic, fatal, error, warning, debug or trace; anything else is info',
        default: 'panic',
        env: ['VW_LOG_LEVEL'],
      }),
    }),
    api: Type.String({
      description: 'websocket address from which the rules may be changed too; it is dialled without a token',
      default: '',
      env: ['VW_API'],
    }),
    recordings: Section({
      directory: Type.String({
        description: 'where rules may record what goes out; empty: nowhere',
        default: '',
      }),
    }),
  }),
} satisfies ConfigSpec<ReturnType<typeof Section>>

export type HostSettings = Readonly<StaticDecode<typeof hostSpec.schema>>

/** The old programs' names of log levels, in any letter case; every other text means info (spec session 2.2). */
export function hostLogLevel(text: string): LogLevel {
  switch (text.toLowerCase()) {
    case 'panic':
    case 'fatal':
      return 'fatal'
    case 'error':
      return 'error'
    case 'warning':
      return 'warn'
    case 'debug':
      return 'debug'
    case 'trace':
      return 'trace'
    default:
      return 'info'
  }
}
