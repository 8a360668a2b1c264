import { loadConfig } from '@relay/common/config/load-config'
import type { Problem } from '@relay/common/config/problems'
import { ConfigError, describeError, errorCode } from '@relay/common/errors'
import { type AgentConfig, agentConfigSpec } from '../config.ts'
import { type ConfigRequest, readConfig } from '../read-config.ts'
import { ok, problem, type Verdict, warning } from './verdict.ts'

/** A configuration as far as there is one: a missing or wrong one does not keep the doctor from the rest. */
export type OpenedConfig =
  | { readonly kind: 'read'; readonly config: AgentConfig; readonly warnings: readonly Problem[] }
  | { readonly kind: 'missing'; readonly config: AgentConfig }
  | { readonly kind: 'wrong'; readonly config: AgentConfig; readonly why: string; readonly code: string }

/** Where it cannot be read, `config` is the one of an empty file. Throws nothing but bugs. */
export function openConfig(request: ConfigRequest): OpenedConfig {
  try {
    return { kind: 'read', ...readConfig(request) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const config = loadConfig(agentConfigSpec, {})
    return errorCode(error) === 'CONFIG_FILE_MISSING'
      ? { kind: 'missing', config }
      : { kind: 'wrong', config, why: describeError(error), code: error.code }
  }
}

/** Pure. */
export function judgeConfig(opened: OpenedConfig, path: string): readonly Verdict[] {
  if (opened.kind === 'missing')
    return [
      problem(
        `there is no configuration file ${path}; only the machine itself is looked at`,
        'write one (see agent.example.yaml), or let "relay-agent import" make one of an old device\'s files',
      ),
    ]
  if (opened.kind === 'wrong')
    return [
      problem(
        `${opened.why}\n  Only the machine itself is looked at`,
        opened.code === 'CONFIG_FILE_UNREADABLE'
          ? 'run the doctor with sudo'
          : 'correct the lines that are named, then run "relay-agent check"',
      ),
    ]
  const { topics, cameras, instruments, mqttInstruments } = opened.config
  return [
    ok(
      `${path} is right: topics ${topics.length}, cameras ${cameras.length}, instruments ${instruments.length + mqttInstruments.length}`,
    ),
    // What the other areas look at more closely is left to them.
    ...opened.warnings
      .filter(({ what }) => !/token|is not there now|is not installed/.test(what))
      .map(({ where, what }) => warning(`${where}: ${what}`, 'correct it in the configuration')),
    ...(topics.length === 0
      ? [warning('it names no topics: nothing goes to a relay', 'add topics to the configuration')]
      : []),
  ]
}
