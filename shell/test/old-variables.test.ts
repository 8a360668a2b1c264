import { settingsOf } from '@relay/common/config/settings'
import { expect, test } from 'vitest'
import { ignoredClientSettings, listenSpec } from '../src/client/client-config.ts'
import { hostSpec } from '../src/host/host-config.ts'
import { ignoredPipeSettings, pipeSpec, pipeWays } from '../src/pipe/pipe-config.ts'
import { shellRelaySpec } from '../src/relay/config.ts'
import { oldShellEnvironment } from '../src/relay/old-shell-environment.ts'
import { jumpToken, shellToken } from '../src/token/token-options.ts'

/** Read without being settings of ours: the mode is a log level. */
const modes: ReadonlySet<string> = new Set([
  'SHELLRELAY_DEVELOPMENT',
  'SHELLHOST_DEVELOPMENT',
  'SHELLCLIENT_DEVELOPMENT',
  'JUMP_HOST_DEVELOPMENT',
])

/** Every variable of the old programs (spec shell 2 and 9.3), by command. */
const variables = {
  'shell relay': names('SHELLRELAY', 'ACCESSPORT RELAYPORT ACCESSFQDN RELAYFQDN SECRET DEVELOPMENT'),
  'shell host': names('SHELLHOST', 'LOCALPORT RELAYSESSION TOKEN DEVELOPMENT'),
  'shell client': names('SHELLCLIENT', 'LOCALPORT RELAYSESSION TOKEN DEVELOPMENT'),
  'shell token': names('SHELLTOKEN', 'LIFETIME ROLE SECRET TOPIC CONNECTIONTYPE AUDIENCE'),
  'jump relay': names(
    'JUMP_RELAY',
    'AUDIENCE SECRET URL BUFFER_SIZE PORT_ACCESS PORT_RELAY STATS_EVERY TIDY_EVERY PROFILE PORT_PROFILE LOG_LEVEL LOG_FORMAT LOG_FILE',
  ),
  'jump host': names('JUMP_HOST', 'LOCAL_PORT ACCESS TOKEN DEVELOPMENT'),
  'jump client': names('JUMP_CLIENT', 'LOCAL_PORT RELAY_SESSION TOKEN LOG_LEVEL LOG_FORMAT LOG_FILE'),
  'jump pipe': pipeWays.flatMap((way) =>
    names(`JUMP_PIPE_${way.toUpperCase()}`, 'PORT_LISTEN PORT_TARGET LOG_LEVEL LOG_FORMAT'),
  ),
  'jump token': names('JUMP_TOKEN', 'LIFETIME ROLE SECRET TOPIC CONNECTION_TYPE AUDIENCE'),
} as const

function names(prefix: string, words: string): readonly string[] {
  return words.split(' ').map((word) => `${prefix}_${word}`)
}

function tokenNames({ prefix, variables: known }: typeof shellToken): readonly string[] {
  return [...Object.keys(known), 'SECRET'].map((name) => `${prefix}_${name}`)
}

function settingNames(spec: Parameters<typeof settingsOf>[0]): readonly string[] {
  return settingsOf(spec).flatMap(({ env }) => env)
}

const taken: Readonly<Record<keyof typeof variables, readonly string[]>> = {
  'shell relay': settingNames(shellRelaySpec),
  'shell host': settingNames(hostSpec('shell')),
  'shell client': settingNames(listenSpec),
  'shell token': tokenNames(shellToken),
  'jump relay': settingNames(shellRelaySpec),
  'jump host': settingNames(hostSpec('jump')),
  'jump client': settingNames(listenSpec),
  'jump pipe': pipeWays.flatMap((way) => settingNames(pipeSpec(way))),
  'jump token': tokenNames(jumpToken),
}

test.each(Object.keys(variables) as (keyof typeof variables)[])(
  'each variable of %s is taken, or it is said that it means nothing here',
  (command) => {
    const unknown = variables[command].filter((name) => {
      const environment = { [name]: 'something else' }
      const ignored = [
        ...oldShellEnvironment(environment).ignored,
        ...ignoredClientSettings(environment),
        ...(command === 'jump pipe' ? ignoredPipeSettings(environment) : []),
      ]
      const isTold = ignored.some((text) => text.startsWith(`${name}: `))
      return !taken[command].includes(name) && !modes.has(name) && !isTold
    })

    // The profiler was on unless it was switched off: only `true` asks for something.
    expect(unknown).toEqual(command === 'jump relay' ? ['JUMP_RELAY_PROFILE'] : [])
  },
)
