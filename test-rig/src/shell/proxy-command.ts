import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AnyShellRelay, tokenAt } from './shell-programs.ts'

const launcher = fileURLToPath(new URL('../../../shell/bin/shell.mjs', import.meta.url))

/** The `ProxyCommand` of ssh for an id at that relay; its token lies in a file in `directory`. */
export async function proxyCommand(options: {
  readonly relay: AnyShellRelay
  readonly id: string
  readonly directory: string
}): Promise<string> {
  const file = join(options.directory, `${options.id}.token`)
  await writeFile(file, tokenAt(options.relay, options.id, 'client'), { mode: 0o600 })
  return `${process.execPath} ${launcher} connect ${options.id} --token-file ${file} --session ${options.relay.accessOf(options.id)}`
}
