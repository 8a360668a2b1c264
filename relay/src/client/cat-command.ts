import { readFile } from 'node:fs/promises'
import nodeProcess from 'node:process'
import { systemClock } from '@relay/common/clock'
import type { Arguments, Command, Process } from '@relay/common/command-line'
import { commandLineOptions } from '@relay/common/config/document-config'
import { ConfigError, describeError, exitCode, UsageError } from '@relay/common/errors'
import { type CatConfig, catSpec, loadCatConfig } from './cat-config.ts'
import { CatSession } from './cat-session.ts'
import { type PlayStep, readPlayScript } from './play-script.ts'
import { openRecordOutput } from './record-output.ts'
import { readSecretFile } from '@relay/common/read-secret-file'

const { session: _sessionOption, ...otherOptions } = commandLineOptions(catSpec)

/** `relay cat`: joins a topic; what comes goes to stdout or a file, what stdin or a timed file says is sent. */
export const catCommand: Command = {
  usage: 'cat [session]',
  description: 'join a topic: copy it to stdout or a file, and stdin or a timed file to it',
  positionals: {
    session: { type: 'string', describe: 'access address with the topic [RELAY_CLIENT_SESSION]' },
  },
  options: {
    ...otherOptions,
    play: {
      type: 'string',
      requiresArg: true,
      describe: 'timed file of messages to send; stdin is not read then',
    },
    check: { type: 'boolean', describe: 'only check the timed file' },
    'until-sent': { type: 'boolean', describe: 'end when stdin, or the timed file, has been sent' },
  },
  run: async (args, process) => {
    const steps = typeof args['play'] === 'string' ? await readSteps(args['play'], process) : undefined
    if (steps === 'wrong') return exitCode.failed
    if (args['check'] === true) {
      if (steps === undefined) throw new UsageError('--check needs --play with the file to check')
      process.stdout.write(`${steps.length} steps, nothing wrong\n`)
      return exitCode.ok
    }
    return await join(args, process, steps)
  },
}

async function join(
  args: Arguments,
  process: Process,
  steps: readonly PlayStep[] | undefined,
): Promise<number> {
  const config = loadCatConfig(args, process)
  const output = await openRecordOutput(config.file, process.stdout)
  const reopen = (): void => output.reopen()
  nodeProcess.on('SIGHUP', reopen)
  try {
    const session = new CatSession(
      {
        access: config.session,
        mode: config.mode,
        steps,
        endsWhenSent: args['until-sent'] === true,
      },
      {
        clock: systemClock,
        random: Math.random,
        input: process.stdin,
        output,
        token: () => currentToken(config),
        isTokenFixed: config.tokenFile === undefined,
        environment: process.environment,
        onRetry: ({ delayMs, error }) => {
          const reason = error === undefined ? 'the relay closed the link' : describeError(error)
          process.stderr.write(`relay: ${reason}; again in ${Math.round(delayMs / 100) / 10} s\n`)
        },
      },
    )
    await session.run(process.signal)
  } finally {
    nodeProcess.off('SIGHUP', reopen)
    await output.close()
  }
  return exitCode.ok
}

async function currentToken(config: CatConfig): Promise<string> {
  if (config.tokenFile !== undefined) return await readSecretFile(config.tokenFile)
  if (config.token !== undefined) return config.token
  throw new ConfigError('TOKEN_MISSING', 'there is no token: give --token-file or set RELAY_CLIENT_TOKEN')
}

/** The steps of a timed file; `wrong` after telling what is wrong in it, line by line. */
async function readSteps(path: string, process: Process): Promise<readonly PlayStep[] | 'wrong'> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('PLAY_FILE_UNREADABLE', `the timed file ${path} cannot be read`, { cause })
  }
  const { steps, problems } = readPlayScript(text)
  for (const { line, what } of problems) process.stderr.write(`relay: ${path} line ${line}: ${what}\n`)
  return problems.length === 0 ? steps : 'wrong'
}
