import { homedir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@relay/common/config/load-config'
import { Duration, Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import type { Arguments, Process } from '@relay/common/command-line'
import { goInteger, isGoTrue } from '@relay/common/go-value'
import { logLevels } from '@relay/common/log'
import { oldEnvironment } from '@relay/common/server/old-environment'
import { missingVariables, type RequiredVariable } from '@relay/common/server/missing-variables'
import { type StaticDecode, Type } from 'typebox'

const sessionNames = ['SHELLCLIENT_RELAYSESSION', 'JUMP_CLIENT_RELAY_SESSION'] as const
const tokenNames = ['SHELLCLIENT_TOKEN', 'JUMP_CLIENT_TOKEN'] as const

const target = {
  session: Type.String({
    description: 'session address at the access API: https://…/shell/<id>, or …/api/v1/connect/<id>',
    default: '',
    defaultText: 'made from the token',
    env: sessionNames,
  }),
  token: Type.String({
    description: 'the client token itself, in place of tokenFile',
    default: '',
    env: tokenNames,
    secret: true,
  }),
  tokenFile: Type.String({
    description: 'file that holds the client token',
    default: '',
    defaultText: '<tokens>/<id>.token',
  }),
  tokens: Type.String({
    description: 'folder with one file <id>.token for each experiment',
    default: '',
    defaultText: '~/.config/relay-shell',
  }),
} as const

const waiting = {
  wait: Duration({
    description: 'how long a host that is not connected, or a relay that cannot be reached, is waited for',
    default: '10s',
  }),
  resumeWithin: Duration({
    description: 'a session without a connection to the relay for so long is given up',
    default: '2m',
  }),
} as const

const connectSchema = Section({
  ...target,
  ...waiting,
  quiet: Type.Boolean({ description: 'say nothing while waiting or dialling again', default: false }),
})

const listenSchema = Section({
  ...target,
  ...waiting,
  listen: Type.String({
    description: 'address that is listened on; 0.0.0.0 lets the whole network in',
    default: '127.0.0.1',
    minLength: 1,
  }),
  localPort: Type.Integer({
    description: 'port that is listened on',
    default: 8082,
    minimum: 0,
    maximum: 65_535,
    env: ['SHELLCLIENT_LOCALPORT', 'JUMP_CLIENT_LOCAL_PORT'],
  }),
  maxSessions: Type.Integer({
    description: 'sessions at the same time; further connections are closed at once',
    default: 256,
    minimum: 1,
    maximum: 10_000,
  }),
  logLevel: Type.Enum([...logLevels], {
    description: 'what is logged',
    default: 'info',
    env: ['JUMP_CLIENT_LOG_LEVEL'],
  }),
})

const statusSchema = Section(target)

const envPrefix = 'SHELL_CLIENT'

/** Settings of `shell connect`. */
export const connectSpec: ConfigSpec<typeof connectSchema> = {
  program: 'shell connect',
  envPrefix,
  schema: connectSchema,
}

/** Settings of `shell client`. */
export const listenSpec: ConfigSpec<typeof listenSchema> = {
  program: 'shell client',
  envPrefix,
  schema: listenSchema,
}

/** Settings of `shell status`. */
export const statusSpec: ConfigSpec<typeof statusSchema> = {
  program: 'shell status',
  envPrefix,
  schema: statusSchema,
}

export type StatusConfig = Readonly<StaticDecode<typeof statusSchema>>
export type ConnectConfig = Readonly<StaticDecode<typeof connectSchema>>
export type ListenConfig = Readonly<StaticDecode<typeof listenSchema>>

/** @throws {ConfigError} `CONFIG_INVALID`. */
export function loadConnectConfig(args: Arguments, { environment }: Process): ConnectConfig {
  return withTokens(loadConfig(connectSpec, { environment, arguments: args }), environment)
}

/** @throws {ConfigError} `CONFIG_INVALID`. */
export function loadStatusConfig(args: Arguments, { environment }: Process): StatusConfig {
  return withTokens(loadConfig(statusSpec, { environment, arguments: args }), environment)
}

/** @throws {ConfigError} `CONFIG_INVALID`. */
export function loadListenConfig(args: Arguments, { environment }: Process): ListenConfig {
  return withTokens(
    loadConfig(listenSpec, { environment: inOurWords(environment), arguments: args }),
    environment,
  )
}

/** Whose words `client` has for what is missing: those of v0.2.2, or of its successor. */
export type ClientGeneration = 'shell' | 'jump'

const requiredVariables: Readonly<Record<ClientGeneration, readonly RequiredVariable[]>> = {
  shell: [sessionNames, tokenNames],
  jump: [
    [sessionNames[1], sessionNames[0]],
    [tokenNames[1], tokenNames[0]],
  ],
}

/**
 * The variable that the old client would ask for, as it stops at the first (spec shell 2); undefined where there is
 * none. Only where nothing but the old variables configures us; else our own sentences tell more.
 */
export function missingClientVariable(
  generation: ClientGeneration,
  args: Arguments,
  { environment }: Process,
): string | undefined {
  const isOurs =
    (args['id'] ?? '') !== '' ||
    Object.entries(environment).some(([name, value]) => name.startsWith(`${envPrefix}_`) && value !== '')
  if (isOurs) return undefined
  return missingVariables(listenSpec, { environment, arguments: args }, requiredVariables[generation])[0]
}

function withTokens<T extends { readonly tokens: string }>(
  config: T,
  environment: Process['environment'],
): T {
  return { ...config, tokens: config.tokens === '' ? tokenDirectory(environment) : config.tokens }
}

/** Where tokens lie unless something else is said: by the XDG base directory specification. */
export function tokenDirectory(environment: Process['environment']): string {
  const home = environment['HOME'] || homedir()
  return join(environment['XDG_CONFIG_HOME'] || join(home, '.config'), 'relay-shell')
}

/** The settings of `jump client` that mean nothing here, each with the reason (spec shell 9.3). Pure. */
export function ignoredClientSettings(environment: Process['environment']): readonly string[] {
  const { ignored } = oldEnvironment(environment, {
    oldPrefix: 'JUMP_CLIENT',
    ownPrefix: envPrefix,
    bufferSetting: 'maxSessions',
  })
  return ignored
}

const portVariables = ['SHELLCLIENT_LOCALPORT', 'JUMP_CLIENT_LOCAL_PORT']
const developmentVariables = ['SHELLCLIENT_DEVELOPMENT', 'JUMP_CLIENT_DEVELOPMENT']
/** Log levels of the old programs that are called otherwise here. */
const levelNames: Readonly<Record<string, string>> = { panic: 'fatal', warning: 'warn' }

/** The old programs read numbers as Go does, and have a mode in place of a level. */
function inOurWords(environment: Process['environment']): Process['environment'] {
  const words: Record<string, string | undefined> = { ...environment }
  for (const name of portVariables) {
    const number = goInteger(environment[name] ?? '')
    if (number !== undefined) words[name] = String(number)
  }
  const level = environment['JUMP_CLIENT_LOG_LEVEL']?.toLowerCase()
  if (level !== undefined) words['JUMP_CLIENT_LOG_LEVEL'] = levelNames[level] ?? level
  const isDevelopment = developmentVariables.some((name) => isGoTrue(environment[name]))
  if (isDevelopment && !level) words['JUMP_CLIENT_LOG_LEVEL'] = 'debug'
  return words
}
