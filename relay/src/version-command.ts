import type { Command } from '@relay/common/command-line'
import { exitCode } from '@relay/common/errors'
import { version } from './version.ts'

/** `relay version`: the version alone, as 0.9.3 has such a command. */
export const versionCommand: Command = {
  usage: 'version',
  description: 'print the version',
  run: (_args, process) => {
    process.stdout.write(`${version}\n`)
    return Promise.resolve(exitCode.ok)
  },
}
