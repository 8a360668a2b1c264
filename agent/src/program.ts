import type { Command, Program } from '@relay/common/command-line'
import { commandLineOptions, redactedConfig } from '@relay/common/config/document-config'
import { loadConfig } from '@relay/common/config/load-config'
import { exitCode } from '@relay/common/errors'
import { Value } from 'typebox/value'
import { agentConfigSpec } from './config.ts'
import { doctorCommand } from './doctor/doctor-command.ts'
import { importCommand } from './import/import-command.ts'
import { hostLogLevel, hostSpec } from './host-settings.ts'
import { type InstrumentCommandParts, recordCommand } from './instrument/record-command.ts'
import { touchCommand } from './instrument/touch-command.ts'
import type { ErrorTexts } from './local-api/admin-command.ts'
import { fetchStatus } from './health/fetch-status.ts'
import { statusCommand } from './health/status-command.ts'
import { readConfig } from './read-config.ts'
import { runAgent } from './run-agent.ts'
import { runCommand } from './run-command.ts'
import { agentVersion } from './version.ts'
import { encodersCommand } from './video/encoders-command.ts'
import { withoutPasswords } from './video/without-passwords.ts'

const configOption = {
  config: {
    describe: 'the configuration file [RELAY_AGENT_CONFIG]',
    type: 'string',
    requiresArg: true,
    defaultDescription: '/etc/relay-agent/agent.yaml',
  },
} as const

const options = { ...configOption, ...commandLineOptions(agentConfigSpec) }

const run = runCommand({
  options,
  read: (args, environment) => readConfig({ path: pathOf(args, environment), environment, arguments: args }),
})

const check: Command = {
  usage: 'check',
  description: 'say everything that is wrong with a configuration file',
  options,
  run: (args, { environment, stdout, stderr }) => {
    const path = pathOf(args, environment)
    const { config, warnings } = readConfig({ path, environment, arguments: args })
    for (const { where, what } of warnings) stderr.write(`warning: ${where}: ${what}\n`)
    const { topics, cameras, instruments, mqttInstruments, shell } = config
    stdout.write(
      `${path} is right: topics ${topics.length}, cameras ${cameras.length}, instruments ${instruments.length + mqttInstruments.length}${shell.session === '' ? '' : ', a shell host'}\n`,
    )
    return Promise.resolve(exitCode.ok)
  },
}

const status = statusCommand({
  options,
  config: (args, environment) =>
    readConfig({ path: pathOf(args, environment), environment, arguments: args }).config,
})

const doctor = doctorCommand({
  options,
  pathOf,
  fetchStatus: ({ status: { socket }, metrics }, signal) => fetchStatus({ socket, metrics }, signal),
})

const show: Command = {
  usage: 'config',
  description: 'print the configuration as it holds, with defaults, environment and arguments',
  options,
  run: (args, { environment, stdout }) => {
    const { config } = readConfig({ path: pathOf(args, environment), environment, arguments: args })
    // In the form in which it can be read again: durations and sizes with their units.
    const written = Value.Encode(agentConfigSpec.schema, structuredClone(config)) as object
    // The address of a network camera may hold its password.
    const shown = (_key: string, value: unknown): unknown =>
      typeof value === 'string' ? withoutPasswords(value) : value
    stdout.write(`${JSON.stringify(redactedConfig(agentConfigSpec, written), shown, 2)}\n`)
    return Promise.resolve(exitCode.ok)
  },
}

function hostCommand(errorTexts: ErrorTexts): Command {
  return {
    usage: 'host',
    description: 'serve the local API alone, as "session host" and "relay host" of practable/relay do',
    options: commandLineOptions(hostSpec),
    run: async (args, { environment, signal }) => {
      const { localApi, log, api, recordings } = loadConfig(hostSpec, { environment, arguments: args })
      // Everything else as it stands in an empty file.
      const config = { ...loadConfig(agentConfigSpec, {}) }
      await runAgent({
        config: {
          ...config,
          // It stands for a program that had none, and may run beside an agent.
          status: { socket: '' },
          localApi: { ...config.localApi, ...localApi },
          recordings: { ...config.recordings, ...recordings },
        },
        apiDestination: api,
        requiresLocalApi: true,
        errorTexts,
        logLevel: hostLogLevel(log.level),
        environment,
        signal,
      })
      return exitCode.ok
    },
  }
}

const encoders = encodersCommand({
  readCameras: (path, environment) => {
    const { video, cameras } = readConfig({ path, environment, arguments: {} }).config
    return { ffmpeg: video.ffmpeg, cameras }
  },
})

const instrumentParts: InstrumentCommandParts = {
  options: configOption,
  read: (args, environment) =>
    readConfig({ path: pathOf(args, environment), environment, arguments: {} }).config,
}

const version: Command = {
  usage: 'version',
  description: 'print the version',
  run: (_args, { stdout }) => {
    stdout.write(`${agentVersion}\n`)
    return Promise.resolve(exitCode.ok)
  },
}

function pathOf(
  args: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (typeof args.config === 'string') return args.config
  return environment.RELAY_AGENT_CONFIG || '/etc/relay-agent/agent.yaml'
}

/** The command line of `relay-agent`; `errorTexts` says which host of the old programs `host` is. */
export function agentProgram(errorTexts: ErrorTexts): Program {
  return {
    name: 'relay-agent',
    description: 'Bridges the cameras and instruments of an experiment to a relay.',
    version: agentVersion,
    commands: [
      run,
      check,
      status,
      doctor,
      encoders,
      importCommand,
      show,
      hostCommand(errorTexts),
      recordCommand(instrumentParts),
      touchCommand(instrumentParts),
      version,
    ],
  }
}
