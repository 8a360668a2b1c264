import type { Command } from './command-line.ts'
import { exitCode } from './errors.ts'

/** `version`: prints the version alone, as the old programs have such a command. */
export function versionCommand(version: string): Command {
  return {
    usage: 'version',
    description: 'print the version',
    run: (_args, process) => {
      process.stdout.write(`${version}\n`)
      return Promise.resolve(exitCode.ok)
    },
  }
}
