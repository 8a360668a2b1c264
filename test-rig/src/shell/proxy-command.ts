import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shellCommand } from './shell-command.ts'
import { type AnyShellRelay, tokenAt } from './shell-programs.ts'

/** The `ProxyCommand` of ssh for an id at that relay; its token lies in a file in `directory`. */
export async function proxyCommand(options: {
  readonly relay: AnyShellRelay
  readonly id: string
  readonly directory: string
}): Promise<string> {
  const file = join(options.directory, `${options.id}.token`)
  await writeFile(file, tokenAt(options.relay, options.id, 'client'), { mode: 0o600 })
  const command = shellCommand('v0.2.2', 'connect').join(' ')
  return `${command} ${options.id} --token-file ${file} --session ${options.relay.accessOf(options.id)}`
}
