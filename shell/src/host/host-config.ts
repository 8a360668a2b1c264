import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { invalidConfig } from '@relay/common/config/invalid-config'
import { type ConfigSources, loadConfig } from '@relay/common/config/load-config'
import { Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import { describeError } from '@relay/common/errors'
import type { LogLevel } from '@relay/common/log'
import { goInteger, isGoTrue } from '@relay/common/go-value'
import { logLevelSetting } from '@relay/common/server/server-settings'
import { parseShellAccess } from '@relay/common/shell-host/shell-access'
import { type ShellHostOptions, shellHostOptions } from '@relay/common/shell-host/shell-host-options'
import { shellHostSettings } from '@relay/common/shell-host/shell-host-settings'
import { checkedToken } from '@relay/common/token-source'
import { type TObject, Type } from 'typebox'

/** Whose variables are taken beside ours: those of `shell host` v0.2.2 or of `jump host`. */
export type HostGeneration = 'shell' | 'jump'

const oldVariables = {
  shell: {
    session: 'SHELLHOST_RELAYSESSION',
    token: 'SHELLHOST_TOKEN',
    port: 'SHELLHOST_LOCALPORT',
    development: 'SHELLHOST_DEVELOPMENT',
  },
  jump: {
    session: 'JUMP_HOST_ACCESS',
    token: 'JUMP_HOST_TOKEN',
    port: 'JUMP_HOST_LOCAL_PORT',
    development: 'JUMP_HOST_DEVELOPMENT',
  },
} as const satisfies Record<HostGeneration, object>

const envPrefix = 'SHELL_HOST'

const shellSpec = makeSpec('shell')
const jumpSpec = makeSpec('jump')

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type of a schema is its value
function makeSpec(generation: HostGeneration) {
  const { session, token, port } = oldVariables[generation]
  return {
    program: `${generation} host`,
    envPrefix,
    schema: Section({
      ...shellHostSettings({ session: [session], port: [port] }),
      token: Type.String({
        description: 'the host token itself, in place of tokenFile',
        default: '',
        env: [token],
        secret: true,
      }),
      logLevel: logLevelSetting(),
    }),
  } satisfies ConfigSpec<TObject>
}

/** What `shell host` and `jump host` can be told. */
export function hostSpec(generation: HostGeneration): typeof shellSpec {
  return generation === 'shell' ? shellSpec : jumpSpec
}

export interface HostConfig {
  readonly options: ShellHostOptions
  /** Absolute, or relative to where the program runs; empty: `token` counts. */
  readonly tokenFile: string
  readonly token: string
  readonly logLevel: LogLevel
}

/**
 * Reads the settings of a host from file, environment and arguments.
 * @throws {ConfigError} `CONFIG_INVALID`.
 */
export function loadHostConfig(generation: HostGeneration, sources: ConfigSources): HostConfig {
  const spec = hostSpec(generation)
  const environment = inOurWords(generation, sources.environment ?? {})
  const settings = loadConfig(spec, { ...sources, environment })
  const { session, token, tokenFile, logLevel } = settings
  const problems = []
  const flaw = session === '' ? 'it is missing' : parseShellAccess(session)
  if (typeof flaw === 'string') problems.push({ where: 'session', what: flaw })
  if (token === '' && tokenFile === '') problems.push({ where: 'tokenFile', what: 'it is missing' })
  if (token !== '' && tokenFile !== '')
    problems.push({ where: 'tokenFile', what: 'there is a token already; give one of the two' })
  const tokenFlaw = token === '' ? undefined : flawOf(token)
  if (tokenFlaw !== undefined) problems.push({ where: 'token', what: tokenFlaw })
  if (problems.length > 0) throw invalidConfig(spec.program, problems)
  const places = [
    environment['CREDENTIALS_DIRECTORY'] ?? '',
    sources.file === undefined ? '' : dirname(sources.file.path),
  ]
  return {
    options: shellHostOptions(settings),
    tokenFile: resolveFile(tokenFile, places),
    token,
    logLevel,
  }
}

/**
 * The variable that the old program would ask for, as it stops at the first (spec shell 2); undefined where there is
 * none. Only where nothing but its own variables configures us; else our own sentences tell more.
 */
export function missingVariable(generation: HostGeneration, sources: ConfigSources): string | undefined {
  const { environment = {}, file, arguments: given = {} } = sources
  const isGiven = (name: string): boolean => (environment[name] ?? '') !== ''
  const isOurs =
    file !== undefined ||
    Object.keys(environment).some((name) => name.startsWith(`${envPrefix}_`) && isGiven(name)) ||
    ['session', 'token-file'].some((name) => given[name] !== undefined)
  if (isOurs) return undefined
  const { session, token } = oldVariables[generation]
  return [session, token].find((name) => !isGiven(name))
}

/** The old programs read numbers as Go does, and have a mode in place of a level. */
function inOurWords(
  generation: HostGeneration,
  environment: NonNullable<ConfigSources['environment']>,
): NonNullable<ConfigSources['environment']> {
  const { port, development } = oldVariables[generation]
  const number = goInteger(environment[port] ?? '')
  const level = environment[`${envPrefix}_LOG_LEVEL`] ?? ''
  return {
    ...environment,
    ...(number === undefined ? {} : { [port]: String(number) }),
    ...(level === '' && isGoTrue(environment[development]) ? { [`${envPrefix}_LOG_LEVEL`]: 'debug' } : {}),
  }
}

function flawOf(token: string): string | undefined {
  try {
    checkedToken(token, 'the environment')
    return undefined
  } catch (error) {
    return describeError(error)
  }
}

/** The first place that has it, else the last. */
function resolveFile(name: string, places: readonly string[]): string {
  if (name === '' || isAbsolute(name)) return name
  const candidates = places.filter((place) => place !== '').map((place) => join(place, name))
  return candidates.find((path) => existsSync(path)) ?? candidates.at(-1) ?? name
}
