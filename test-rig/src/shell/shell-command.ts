import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundlesVariable } from './bundle-shell.ts'

/** Whose words and variables a program understands: the shell of v0.2.2, or its successor. */
export type ShellWords = 'v0.2.2' | 'jump'

const names: Readonly<Record<ShellWords, string>> = { 'v0.2.2': 'shell', jump: 'jump' }

/** The words that start our program in the place of the old one: as it is shipped, where that is built, else from source. */
export function shellCommand(words: ShellWords, command: string): readonly string[] {
  return [process.execPath, shellLauncher(words), command]
}

/** The file that Node runs. */
export function shellLauncher(words: ShellWords): string {
  const name = names[words]
  const bundles = process.env[bundlesVariable]
  if (bundles !== undefined) return join(bundles, 'lib', `${name}.mjs`)
  return fileURLToPath(new URL(`../../../shell/bin/${name}.mjs`, import.meta.url))
}
