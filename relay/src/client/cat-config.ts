import type { Arguments, Process } from '@relay/common/command-line'
import { loadConfig } from '@relay/common/config/load-config'
import { Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import { type StaticDecode, Type } from 'typebox'
import { recordModes } from './record-output.ts'

const schema = Section({
  session: Type.String({
    description:
      'access address with the topic, such as https://relay.example.org/access/session/spin30-data',
    pattern: '^https?://.+/session/.+',
    expected: 'an address such as https://relay.example.org/access/session/<topic>',
  }),
  token: Type.Optional(Type.String({ description: 'the token', secret: true })),
  tokenFile: Type.Optional(
    Type.String({ description: 'file with the token; read again for every connection', minLength: 1 }),
  ),
  file: Type.String({
    description: 'file that received messages are appended to; SIGHUP opens it anew',
    default: '-',
    defaultText: 'stdout',
  }),
  mode: Type.Enum([...recordModes], {
    description:
      'what is written: `text` is a time and the content, `lines` the content, `binary` the bytes alone; with `binary` stdin is sent as binary messages too, else line by line as text',
    default: 'text',
  }),
})

/** Settings of `cat`; the names are those of the newer generation's `client file` (spec session 10.6). */
export const catSpec: ConfigSpec<typeof schema> = { program: 'relay', envPrefix: 'RELAY_CLIENT', schema }

export type CatConfig = Readonly<StaticDecode<typeof schema>>

/** @throws {ConfigError} `CONFIG_INVALID`. */
export function loadCatConfig(args: Arguments, process: Process): CatConfig {
  return loadConfig(catSpec, { environment: process.environment, arguments: args })
}
