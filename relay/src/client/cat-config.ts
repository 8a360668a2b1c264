import type { Arguments, Process } from '@relay/common/command-line'
import { loadConfig } from '@relay/common/config/load-config'
import { Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import { UsageError } from '@relay/common/errors'
import { type StaticDecode, Type } from 'typebox'
import { recordModes } from './record-output.ts'

const addressPattern = '^https?://.+/session/.+'
const addressForm = 'an address such as https://relay.example.org/access/session/<topic>'

const schema = Section({
  session: Type.String({
    description:
      'access address with the topic, such as https://relay.example.org/access/session/spin30-data',
    pattern: addressPattern,
    expected: addressForm,
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

/**
 * @throws {UsageError} where the address is missing, or the one on the command line is wrong.
 * @throws {ConfigError} `CONFIG_INVALID` for all else.
 */
export function loadCatConfig(args: Arguments, process: Process): CatConfig {
  const address = args['session']
  const { environment } = process
  if (address === undefined && (environment['RELAY_CLIENT_SESSION'] ?? '') === '') {
    throw new UsageError(
      `the address of the topic is missing: relay cat <address>, ${addressForm}; or set RELAY_CLIENT_SESSION`,
    )
  }
  if (typeof address === 'string' && !new RegExp(addressPattern).test(address)) {
    throw new UsageError(`the address "${address.slice(0, maxShownLength)}" is not ${addressForm}`)
  }
  return loadConfig(catSpec, { environment, arguments: args })
}

const maxShownLength = 200
