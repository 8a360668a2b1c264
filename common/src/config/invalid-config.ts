import { ConfigError } from '../errors.ts'
import type { Problem } from './problems.ts'

/** The error for a configuration with these problems, for checks that a program makes beyond its schema. */
export function invalidConfig(program: string, problems: readonly Problem[]): ConfigError {
  const lines = problems.map(({ where, what }) => `${where}: ${what}`)
  const count = lines.length === 1 ? 'is wrong' : `has ${lines.length} problems`
  return new ConfigError(
    'CONFIG_INVALID',
    `the configuration of ${program} ${count}\n  ${lines.join('\n  ')}`,
    {
      details: { problems: lines },
    },
  )
}
