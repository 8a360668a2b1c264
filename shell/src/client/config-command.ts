import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemClock } from '@relay/common/clock'
import type { Command, Process } from '@relay/common/command-line'
import { ConfigError, describeError, errorCode, exitCode, UsageError } from '@relay/common/errors'
import { tokenDirectory } from './client-config.ts'
import { fetchHostKeys, type FetchedKeys, readDevices } from './fetch-host-keys.ts'
import { timeText } from './known-hosts-text.ts'
import { findTarget, type SessionTarget, tokenFileName } from './session-target.ts'
import { sshConfigText } from './ssh-config-text.ts'
import { writeSshFiles } from './write-ssh-files.ts'

/** `shell config`: entries for ssh, and the host keys that the hosts publish. */
export const configCommand: Command = {
  usage: 'config [ids..]',
  description: 'print entries for ~/.ssh/config, one for each experiment that there is a token for',
  positionals: { ids: { type: 'string', describe: 'only these experiments' } },
  options: {
    tokens: {
      type: 'string',
      requiresArg: true,
      describe: 'folder with one file <id>.token for each experiment (default ~/.config/relay-shell)',
    },
    user: { type: 'string', requiresArg: true, describe: 'the user to log in as' },
    command: {
      type: 'string',
      requiresArg: true,
      describe: 'how ssh starts this program (default shell)',
    },
    write: {
      type: 'string',
      requiresArg: true,
      describe: 'write config and known_hosts into this folder, with the host keys that the relay knows',
    },
    'device-keys': {
      type: 'string',
      requiresArg: true,
      describe: 'folder of *.jwk files: only host keys that one of these devices has signed are taken',
    },
    'replace-keys': { type: 'boolean', describe: 'take changed host keys too; check first why they changed' },
  },
  run: (args, process) =>
    runConfig(
      {
        ids: Array.isArray(args['ids']) ? args['ids'].map(String) : [],
        tokens: textOf(args['tokens']),
        user: textOf(args['user']),
        command: textOf(args['command'])
          ?.split(' ')
          .filter((word) => word !== '') ?? ['shell'],
        write: textOf(args['write']),
        deviceKeys: textOf(args['device-keys']),
        mayReplace: args['replace-keys'] === true,
      },
      process,
    ),
}

interface ConfigRequest {
  readonly ids: readonly string[]
  readonly tokens: string | undefined
  readonly user: string | undefined
  readonly command: readonly string[]
  readonly write: string | undefined
  readonly deviceKeys: string | undefined
  readonly mayReplace: boolean
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** @throws {UsageError} what would be ignored, or would make other lines than are meant. */
function checkRequest({ write, user, command, tokens, deviceKeys, mayReplace }: ConfigRequest): void {
  const texts = { user, command: command.join(' '), tokens, write }
  for (const [name, text = ''] of Object.entries(texts))
    if (/[\p{Cc}"]/u.test(text)) throw new UsageError(`--${name}: it holds a quote or a line break`)
  if (write !== undefined) return
  if (deviceKeys !== undefined) throw new UsageError('--device-keys: host keys are taken with --write only')
  if (mayReplace) throw new UsageError('--replace-keys: host keys are taken with --write only')
}

async function runConfig(request: ConfigRequest, process: Process): Promise<number> {
  checkRequest(request)
  const directory =
    request.tokens === undefined ? tokenDirectory(process.environment) : resolve(request.tokens)
  const tell = (line: string): void => void process.stderr.write(`shell config: ${line}\n`)
  const targets = await readTargets(directory, request.ids, tell)
  const isWhole = targets.every((target) => target !== undefined)
  const usable = targets.filter((target) => target !== undefined)
  const facts = {
    targets: usable,
    command: request.command,
    tokenDirectory: request.tokens === undefined ? undefined : directory,
    user: request.user,
  }
  if (request.write === undefined) {
    process.stdout.write(sshConfigText({ ...facts, knownHostsFile: undefined }))
    return isWhole && usable.length > 0 ? exitCode.ok : exitCode.failed
  }
  // What was written before is worth more than nothing.
  if (usable.length === 0) return exitCode.failed
  const into = resolve(request.write)
  const keys = await fetchAll(usable, request, process)
  for (const { id, remark } of keys) tell(`${id}: ${remark}`)
  const files = await writeSshFiles(into, {
    configText: (knownHostsFile) => sshConfigText({ ...facts, knownHostsFile }),
    keys: keys.map(({ id, keys: fetched, signedAtSec }) => ({
      id,
      keys: fetched,
      signedAtSec,
      mayReplace: request.mayReplace,
    })),
  })
  for (const id of files.replaced) tell(`${id}: its host key has CHANGED and was replaced`)
  for (const id of files.conflicts)
    tell(
      `${id}: its host key has CHANGED; the one before was kept, and ssh will refuse. Find out why, then run again with --replace-keys`,
    )
  for (const { id, signedAtSec, knownAtSec } of files.outdated)
    tell(
      `${id}: its host keys were signed ${signedAtSec === 0 ? 'at no known time' : `at ${timeText(signedAtSec)}`} and those that are known later, at ${timeText(knownAtSec)}: an old answer was repeated, or the clock of the host was wrong. The later ones were kept; --replace-keys takes the others`,
    )
  tell(`wrote ${files.config}; put this line at the top of ~/.ssh/config: Include ${files.config}`)
  const isGood =
    isWhole &&
    files.conflicts.length === 0 &&
    files.outdated.length === 0 &&
    keys.every(({ isRefused }) => !isRefused)
  return isGood ? exitCode.ok : exitCode.failed
}

/** The experiments that were named, or all of the folder; undefined for each that is of no use, which is told. */
async function readTargets(
  directory: string,
  ids: readonly string[],
  tell: (line: string) => void,
): Promise<readonly (SessionTarget | undefined)[]> {
  const wanted = ids.length > 0 ? ids : await idsIn(directory)
  if (wanted.length === 0) tell(`there is no token in ${directory}; put one there as <id>.token`)
  return await Promise.all(
    wanted.map(async (id) => {
      try {
        const tokenFile = join(directory, tokenFileName(id))
        return await findTarget({ id, session: '', token: '', tokenFile, tokenDirectory: directory })
      } catch (error) {
        tell(`${id}: ${describeError(error)}`)
        return undefined
      }
    }),
  )
}

async function idsIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory))
      .filter((name) => name.endsWith('.token') && name !== 'stats.token')
      .map((name) => name.slice(0, -'.token'.length))
      .sort()
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return []
    throw new ConfigError('TOKENS_UNREADABLE', `the folder of tokens ${directory} cannot be read`, { cause })
  }
}

async function fetchAll(
  targets: readonly SessionTarget[],
  { deviceKeys }: ConfigRequest,
  process: Process,
): Promise<readonly FetchedKeys[]> {
  const devices = deviceKeys === undefined ? undefined : await readDevices(deviceKeys)
  return await Promise.all(
    targets.map((target) =>
      fetchHostKeys(target, devices, {
        environment: process.environment,
        signal: process.signal,
        clock: systemClock,
      }),
    ),
  )
}
