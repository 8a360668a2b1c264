import { loadConfig } from '@relay/common/config/load-config'
import { Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import type { Arguments, Process } from '@relay/common/command-line'
import { type StaticDecode, Type } from 'typebox'

const schema = Section({
  access: Type.String({
    description: 'address of the access API',
    default: 'http://127.0.0.1:3000',
    pattern: '^https?://',
    expected: 'an address that begins with http:// or https://',
  }),
  audience: Type.Optional(
    Type.String({
      description: 'the audience that the relay wants, for a token made here',
      env: ['RELAY_AUDIENCE'],
      minLength: 1,
      defaultText: 'the address above',
    }),
  ),
  token: Type.Optional(
    Type.String({ description: 'a token with the scope that the command needs', secret: true }),
  ),
  tokenFile: Type.Optional(Type.String({ description: 'file with such a token', minLength: 1 })),
  secret: Type.Optional(
    Type.String({
      description: 'shared secret of the relay: a short token is made with it',
      secret: true,
      env: ['RELAY_SECRET'],
    }),
  ),
  secretFile: Type.Optional(Type.String({ description: 'file with that secret', minLength: 1 })),
})

/** Settings of `deny`, `allow` and `status`. */
export const adminSpec: ConfigSpec<typeof schema> = { program: 'relay', envPrefix: 'RELAY_ADMIN', schema }

export type AdminConfig = Readonly<StaticDecode<typeof schema>>

/** @throws {ConfigError} `CONFIG_INVALID`. */
export function loadAdminConfig(args: Arguments, process: Process): AdminConfig {
  return loadConfig(adminSpec, { environment: process.environment, arguments: args })
}
