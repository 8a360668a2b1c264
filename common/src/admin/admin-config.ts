import { type StaticDecode, Type } from 'typebox'
import type { Arguments, Process } from '../command-line.ts'
import { loadConfig } from '../config/load-config.ts'
import { Section } from '../config/schema.ts'
import type { ConfigSpec } from '../config/settings.ts'

/** Names and defaults in which the programs differ. */
export interface AdminNames {
  readonly program: string
  /** Variables begin with it: `RELAY_ADMIN`. */
  readonly envPrefix: string
  /** Where the access API of that relay usually is. */
  readonly access: string
  /** The relay's own variables for its audience and its secret, which are understood here too. */
  readonly audienceNames: readonly string[]
  readonly secretNames: readonly string[]
}

const schemaOf = ({ access, audienceNames, secretNames }: AdminNames) =>
  Section({
    access: Type.String({
      description: 'address of the access API',
      default: access,
      pattern: '^https?://',
      expected: 'an address that begins with http:// or https://',
    }),
    audience: Type.Optional(
      Type.String({
        description: 'the audience that the relay wants, for a token made here',
        env: audienceNames,
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
        env: secretNames,
      }),
    ),
    secretFile: Type.Optional(Type.String({ description: 'file with that secret', minLength: 1 })),
  })

type AdminSchema = ReturnType<typeof schemaOf>
export type AdminSpec = ConfigSpec<AdminSchema>
export type AdminConfig = Readonly<StaticDecode<AdminSchema>>

/** Settings of the commands that ask a relay. */
export function adminSpecOf(names: AdminNames): AdminSpec {
  return { program: names.program, envPrefix: names.envPrefix, schema: schemaOf(names) }
}

/** @throws {ConfigError} `CONFIG_INVALID`. */
export function loadAdminConfig(spec: AdminSpec, args: Arguments, process: Process): AdminConfig {
  return loadConfig(spec, { environment: process.environment, arguments: args })
}
