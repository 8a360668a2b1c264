import type { TObject } from 'typebox'
import { commandLineOptions } from '../config/document-config.ts'
import type { ConfigSources } from '../config/load-config.ts'
import type { ConfigSpec } from '../config/settings.ts'

/** The variable that an old program asks for, and all that stand for it here. */
export type RequiredVariable = readonly [name: string, ...others: readonly string[]]

/**
 * The variables that an old program would ask for, where nothing but the environment configures us, so that scripts
 * around it still understand. With a file or an argument our own sentences tell more: none then. Pure.
 */
export function missingVariables(
  spec: ConfigSpec<TObject>,
  { file, environment = {}, arguments: given = {} }: ConfigSources,
  required: readonly RequiredVariable[],
): readonly string[] {
  const isOurs =
    file !== undefined || Object.keys(commandLineOptions(spec)).some((name) => given[name] !== undefined)
  if (isOurs) return []
  return required
    .filter((names) => names.every((name) => (environment[name] ?? '') === ''))
    .map(([name]) => name)
}
