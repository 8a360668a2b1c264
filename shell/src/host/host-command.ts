import type { Command } from '@relay/common/command-line'
import { commandLineOptions } from '@relay/common/config/document-config'
import { exitCode } from '@relay/common/errors'
import { configFileOption, readSources } from '@relay/common/server/config-sources'
import { type HostGeneration, hostSpec, loadHostConfig, missingVariable } from './host-config.ts'

/** `shell host` and `jump host`: joins the sshd of this machine with a shell relay until it is stopped. */
export function hostCommand(generation: HostGeneration): Command {
  return {
    usage: 'host',
    description: 'let the people at a shell relay reach the sshd of this machine',
    options: { ...configFileOption, ...commandLineOptions(hostSpec(generation)) },
    run: async (args, process) => {
      const sources = await readSources(args, process)
      const missing = missingVariable(generation, sources)
      if (missing !== undefined) {
        process.stdout.write(`${missing} not set\n`)
        return exitCode.failed
      }
      const config = loadHostConfig(generation, sources)
      // Only here: the other commands start without it.
      const { runHost } = await import('./run-host.ts')
      await runHost(config, process)
      return exitCode.ok
    },
  }
}
