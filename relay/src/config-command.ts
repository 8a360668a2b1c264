import { redactedConfig } from '@relay/common/config/document-config'
import type { Command } from '@relay/common/command-line'
import { exitCode } from '@relay/common/errors'
import { readSources } from '@relay/common/server/config-sources'
import { type Generation, loadRelayConfig, relaySpec } from './config.ts'
import { configOptions } from './serve-command.ts'

/** `relay config`: shows the settings that are in force, without secrets, and checks them. */
export function configCommand(generation: Generation): Command {
  return {
    usage: 'config',
    description: 'check the settings and print them, without secrets',
    options: configOptions,
    run: async (args, process) => {
      const config = loadRelayConfig(generation, await readSources(args, process))
      const settings = {
        ...config.given,
        allowNoBookingId: config.isBookingIdOptional,
        access: { ...config.access, port: config.ports.access },
        relay: { ...config.relay, port: config.ports.relay },
        metrics: { ...config.metrics, port: config.ports.metrics },
      }
      process.stdout.write(`${JSON.stringify(redactedConfig(relaySpec, settings), undefined, 2)}\n`)
      return exitCode.ok
    },
  }
}
