import type { Command } from '@relay/common/command-line'
import { redactedConfig } from '@relay/common/config/document-config'
import { exitCode } from '@relay/common/errors'
import { readSources } from '@relay/common/server/config-sources'
import { type Generation, loadShellRelayConfig, shellRelaySpec } from './config.ts'
import { relayOptions } from './serve-command.ts'

/** `settings`: shows the settings of the shell relay that are in force, without secrets, and checks them. */
export function settingsCommand(generation: Generation): Command {
  return {
    usage: 'settings',
    description:
      'check the settings of the shell relay and print them, without secrets; ports as of shell serve',
    options: relayOptions,
    run: async (args, process) => {
      const config = loadShellRelayConfig(generation, await readSources(args, process))
      const settings = {
        ...config.given,
        access: { ...config.access, port: config.ports.access },
        relay: { ...config.relay, port: config.ports.relay },
        metrics: { ...config.metrics, port: config.ports.metrics },
      }
      process.stdout.write(`${JSON.stringify(redactedConfig(shellRelaySpec, settings), undefined, 2)}\n`)
      return exitCode.ok
    },
  }
}
