import type { Arguments, Process } from '@relay/common/command-line'
import { loadConfig } from '@relay/common/config/load-config'
import { Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import { goInteger } from '@relay/common/go-value'
import { logLevels } from '@relay/common/log'
import { oldEnvironment } from '@relay/common/server/old-environment'
import { type StaticDecode, Type } from 'typebox'

/** How `jump pipe` carries connections, in the words of the old program (spec shell 9.3). */
export const pipeWays = ['original', 'copy', 'develop'] as const
export type PipeWay = (typeof pipeWays)[number]

const schema = Section({
  portListen: Type.Integer({
    description: 'port of this machine that is listened on',
    default: 2222,
    minimum: 0,
    maximum: 65_535,
  }),
  portTarget: Type.Integer({
    description: 'port of this machine to which connections go',
    default: 22,
    minimum: 1,
    maximum: 65_535,
  }),
  logLevel: Type.Enum([...logLevels], { description: 'what is logged', default: 'warn' }),
})

export type PipeConfig = Readonly<StaticDecode<typeof schema>>

/** Settings of one way: `JUMP_PIPE_COPY_PORT_LISTEN` and so on. */
export function pipeSpec(way: PipeWay): ConfigSpec<typeof schema> {
  return { program: `jump pipe ${way}`, envPrefix: `JUMP_PIPE_${way.toUpperCase()}`, schema }
}

/** @throws {ConfigError} `CONFIG_INVALID`. */
export function loadPipeConfig(way: PipeWay, args: Arguments, { environment }: Process): PipeConfig {
  const spec = pipeSpec(way)
  const words: Record<string, string | undefined> = { ...inOurWords(way, environment).environment }
  for (const name of ['PORT_LISTEN', 'PORT_TARGET'].map((word) => `${spec.envPrefix}_${word}`)) {
    const number = goInteger(words[name] ?? '')
    if (number !== undefined) words[name] = String(number)
  }
  return loadConfig(spec, { environment: words, arguments: args })
}

/** The settings of the old program that mean nothing here, each with the reason. Pure. */
export function ignoredPipeSettings(environment: Process['environment']): readonly string[] {
  return pipeWays.flatMap((way) => inOurWords(way, environment).ignored)
}

function inOurWords(way: PipeWay, environment: Process['environment']): ReturnType<typeof oldEnvironment> {
  const { envPrefix } = pipeSpec(way)
  return oldEnvironment(environment, { oldPrefix: envPrefix, ownPrefix: envPrefix, bufferSetting: '' })
}
