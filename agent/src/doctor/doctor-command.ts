import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Arguments, Command, Process } from '@relay/common/command-line'
import { exitCode } from '@relay/common/errors'
import type { Options } from 'yargs'
import type { AgentConfig } from '../config.ts'
import { ProgressLine } from './progress-line.ts'
import { serviceName } from './service.ts'

export interface DoctorCommandOptions {
  /** Those of every command that reads the configuration. */
  readonly options: Readonly<Record<string, Options>>
  /** The configuration file that arguments and environment name. */
  readonly pathOf: (args: Arguments, environment: Process['environment']) => string
  /** Asks the running agent; may reject. */
  readonly fetchStatus: (config: AgentConfig, signal: AbortSignal) => Promise<unknown>
}

/** `relay-agent doctor`: 0 where nothing is a problem, 1 where something is. Its parts are loaded only when it runs. */
export function doctorCommand({ options, pathOf, fetchStatus }: DoctorCommandOptions): Command {
  return {
    usage: 'doctor',
    description: 'look at everything that can be wrong with this machine and say what to do about it',
    options: {
      ...options,
      json: { describe: 'print it as JSON', type: 'boolean', default: false },
      bundle: {
        describe: 'write an archive for whoever helps, without secrets; a file name may follow',
        type: 'string',
      },
    },
    run: async (args, { environment, stdout, stderr, signal }) => {
      const [{ examine, redactorFor }, { LocalMachine }, { openConfig }, { reportText }] = await Promise.all([
        import('./examine.ts'),
        import('./local-machine.ts'),
        import('./open-config.ts'),
        import('./report-text.ts'),
      ])
      const configFile = pathOf(args, environment)
      // Relative names of tokens are looked for where the service finds them.
      const credentials = { CREDENTIALS_DIRECTORY: `/run/credentials/${serviceName}`, ...environment }
      const opened = openConfig({ path: configFile, environment: credentials, arguments: args })
      const machine = new LocalMachine({ environment, signal })
      const progress = new ProgressLine(stderr, machine.clock)
      const report = await examine({
        configFile,
        opened,
        machine,
        signal,
        onProgress: (running) => progress.show(running),
      }).finally(() => progress.end())
      const hasColours = isTerminal(stdout) && (environment.NO_COLOR ?? '') === ''
      stdout.write(
        args.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report, { hasColours }),
      )
      if (typeof args.bundle === 'string') {
        const [{ bundleEntries }, { writeBundle }] = await Promise.all([
          import('./bundle-entries.ts'),
          import('./bundle.ts'),
        ])
        const directoryName = `relay-agent-doctor-${safeName(hostname())}-${stamp(machine.clock.nowMs())}`
        const path = resolve(args.bundle === '' ? `${directoryName}.tar.gz` : args.bundle)
        const status = (): Promise<unknown> => fetchStatus(opened.config, signal)
        const redactor = await redactorFor(opened.config, machine)
        const entries = await bundleEntries({ report, configFile, opened, machine, redactor, status })
        await writeBundle({ path, directoryName, entries, redactor, signal })
        // Not on stdout: that may be JSON.
        const list = entries.map(({ name, about }) => `  ${name}: ${about}\n`).join('')
        stderr.write(
          `\nWritten: ${path}, for your eyes alone until you pass it on. It holds, with tokens, codes and passwords cut out:\n${list}`,
        )
      }
      return report.counts.problem === 0 ? exitCode.ok : exitCode.failed
    },
  }
}

function isTerminal(stream: NodeJS.WritableStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}

function safeName(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, '-').slice(0, 64)
}

/** `20260131T235959Z`. */
function stamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}
