import { readFile } from 'node:fs/promises'
import type { Arguments, Process } from '../command-line.ts'
import type { ConfigSources } from '../config/load-config.ts'
import { ConfigError } from '../errors.ts'

/** The option that names the file with settings. */
export const configFileOption = {
  config: { type: 'string', requiresArg: true, describe: 'YAML file with settings' },
} as const

/**
 * File, environment and arguments, as `--config` and the process give them.
 * @throws {ConfigError} `CONFIG_UNREADABLE`.
 */
export async function readSources(args: Arguments, process: Process): Promise<ConfigSources> {
  const path = args['config']
  const file = typeof path === 'string' ? { path, text: await readConfigFile(path) } : undefined
  return { file, environment: process.environment, arguments: args }
}

async function readConfigFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('CONFIG_UNREADABLE', `the configuration file ${path} cannot be read`, { cause })
  }
}
