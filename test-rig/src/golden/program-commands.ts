import { fileURLToPath } from 'node:url'
import { AppError } from '@relay/common/errors'
import type { Generation } from './golden-case.ts'

export type ServerRole = 'relay' | 'host'
export type Role = ServerRole | 'token'

/** The words that start a program, executable first. */
export type ProgramCommands = (generation: Generation, role: Role) => readonly string[]

const subcommands: Readonly<Record<Generation, Readonly<Record<Role, string>>>> = {
  'v0.2.2': { relay: 'relay', host: 'host', token: 'token' },
  'v0.9.3': { relay: 'serve', host: 'host', token: 'token' },
}

const launchers: Readonly<Record<Generation, string>> = {
  'v0.2.2': '../../../relay/bin/session.mjs',
  'v0.9.3': '../../../relay/bin/relay.mjs',
}

/** The programs of this checkout, run by the Node that runs us. */
export const ownCommands: ProgramCommands = (generation, role) => [
  process.execPath,
  fileURLToPath(new URL(launchers[generation], import.meta.url)),
  subcommands[generation][role],
]

/** Another program with the old subcommands, given as words separated by spaces. */
export function commandsOf(command: string): ProgramCommands {
  const words = command.split(' ').filter((word) => word !== '')
  if (words.length === 0) throw new AppError('GOLDEN_USAGE', 'the command to replay against is empty')
  return (generation, role) => [...words, subcommands[generation][role]]
}
