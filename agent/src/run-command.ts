import { writeSync } from 'node:fs'
import type { Arguments, Command } from '@relay/common/command-line'
import { AppError, exitCode } from '@relay/common/errors'
import { writeFault } from '@relay/common/write-fault'
import { type HandedOver, handOverVariable } from './config-child.ts'
import type { ReadConfig } from './read-config.ts'
import { runAgent } from './run-agent.ts'

export interface RunCommandOptions {
  readonly options: NonNullable<Command['options']>
  /** @throws {ConfigError} */
  readonly read: (args: Arguments, environment: Readonly<Record<string, string | undefined>>) => ReadConfig
}

/**
 * `relay-agent run` in the whole program: what a program of one file runs, and what the child of the lean one
 * (`run-lean.ts`) runs to read the configuration.
 */
export function runCommand({ options, read }: RunCommandOptions): Command {
  return {
    usage: 'run',
    description: 'carry cameras and instruments to the relay until it is stopped',
    options,
    run: async (args, { environment, stderr, signal, onHangUp }) => {
      const fd = environment[handOverVariable]
      if (fd !== undefined) {
        handOver(Number(fd), () => read(args, environment))
        return exitCode.ok
      }
      const { config, warnings } = read(args, environment)
      for (const { where, what } of warnings)
        writeFault(`relay-agent: warning: ${where}: ${what}\n`, { stderr, environment }, 'warning')
      await runAgent({
        config,
        apiDestination: '',
        requiresLocalApi: false,
        logLevel: config.log.level,
        environment,
        signal,
        ...(onHangUp === undefined
          ? {}
          : { reload: { read: () => Promise.resolve(read(args, environment)), onOrder: onHangUp } }),
      })
      return exitCode.ok
    },
  }
}

function handOver(fd: number, read: () => ReadConfig): void {
  let handed: HandedOver
  try {
    handed = read()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { code, message, details } = error
    handed = { error: { code, message, details } }
  }
  const bytes = Buffer.from(JSON.stringify(handed))
  // A pipe takes some 64 KiB at a time.
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}
