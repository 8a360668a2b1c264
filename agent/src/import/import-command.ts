import { resolve } from 'node:path'
import type { Command } from '@relay/common/command-line'
import { exitCode, UnavailableError } from '@relay/common/errors'

/** `relay-agent import`: the configuration of an old device's files. Its parts are loaded only when it runs. */
export const importCommand: Command = {
  usage: 'import [directory]',
  description: 'make agent.yaml of the files of a device with practable/relay',
  positionals: {
    directory: {
      describe: 'where its *.access, *.token and scripts are',
      type: 'string',
      default: '/etc/practable',
    },
  },
  options: {
    output: {
      describe: 'the configuration file to write; tokens go into the directory tokens beside it',
      type: 'string',
      requiresArg: true,
      default: '/etc/relay-agent/agent.yaml',
    },
    root: {
      describe:
        'the root of the old device, such as a mounted card; all but the output is looked for below it',
      type: 'string',
      requiresArg: true,
      default: '/',
    },
    'dry-run': {
      describe: 'print what would be written, without tokens, and write nothing',
      type: 'boolean',
      default: false,
    },
    force: {
      describe: 'overwrite; the old configuration is kept beside it',
      type: 'boolean',
      default: false,
    },
  },
  run: async (args, { environment, stdout, stderr, signal }) => {
    const { importDevice } = await import('./import-device.ts')
    const { text, yaml, isEmpty } = await importDevice({
      directory: resolve('/', String(args.directory)),
      output: resolve(String(args.output)),
      root: resolve(String(args.root)),
      isDryRun: args['dry-run'] === true,
      force: args.force === true,
      environment,
      signal,
    })
    if (args['dry-run'] === true && !isEmpty) stdout.write(yaml)
    stderr.write(text)
    if (isEmpty)
      throw new UnavailableError(
        'IMPORT_NOTHING',
        `there is nothing in ${String(args.directory)} and its units that can be taken over; nothing was written`,
      )
    return exitCode.ok
  },
}
