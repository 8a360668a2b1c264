import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** The path of a program that can be run: `name` itself where it has a slash, else looked for in `path` (as `PATH`). */
export function findProgram(name: string, path: string | undefined): string | undefined {
  if (isAbsolute(name) || name.includes('/')) return isExecutable(name) ? name : undefined
  for (const directory of (path ?? '').split(delimiter)) {
    if (directory === '') continue
    const candidate = join(directory, name)
    if (isExecutable(candidate)) return candidate
  }
  return undefined
}

/** The first of these files that is there. */
export function findFirst(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    // Folders may be entered, which is the same right.
    return statSync(path).isFile()
  } catch {
    return false
  }
}
