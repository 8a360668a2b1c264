import { constants } from 'node:fs'
import { chown, copyFile, lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError, errorCode, UnavailableError } from '@relay/common/errors'
import { readYaml } from '@relay/common/config/read-yaml'

export interface ImportFiles {
  /** Path of `agent.yaml`. */
  readonly output: string
  readonly yaml: string
  /** By path relative to the directory of `output`. */
  readonly tokens: ReadonlyMap<string, string>
  /** Overwrite what is there; the old file is kept beside it. */
  readonly force: boolean
  /** To whom the tokens are given; undefined: to whoever runs this. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  /** Marks the kept file. */
  readonly stamp: string
}

/**
 * Writes the configuration and its tokens, each in one step, so that a power cut leaves the old or the new file. Looks
 * at all of them before it writes the first. Gives the path of the file that was kept, where there was one.
 * @throws {UnavailableError} `IMPORT_OUTPUT_EXISTS`, `IMPORT_NOT_WRITTEN`.
 */
export async function writeImport(files: ImportFiles): Promise<string | undefined> {
  const { output, yaml, tokens, force, owner, stamp } = files
  const directory = dirname(output)
  try {
    const hasOld = await isThere(output)
    if (!force) {
      if (hasOld && !(await saysNothing(output))) throw exists(output)
      for (const [path, token] of tokens) {
        const target = join(directory, path)
        if ((await isThere(target)) && !(await holds(target, token))) throw exists(target)
      }
    }
    await mkdir(directory, { recursive: true, mode: 0o755 })
    for (const [path, token] of tokens) {
      const target = join(directory, path)
      const made = await mkdir(dirname(target), { recursive: true, mode: 0o750 })
      await replaceFile(target, `${token}\n`, { mode: 0o600, owner })
      // A directory that was just made belongs to root alone.
      if (made !== undefined && owner !== undefined) await chown(dirname(target), 0, owner.gid)
    }
    const kept = hasOld ? `${output}.before-import-${stamp}` : undefined
    if (kept !== undefined) await copyFile(output, kept, constants.COPYFILE_EXCL)
    // Arguments of ffmpeg may hold the password of a network camera.
    await replaceFile(output, yaml, {
      mode: 0o640,
      owner: owner === undefined ? undefined : { uid: 0, gid: owner.gid },
    })
    return kept
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    const advice = errorCode(cause) === 'EACCES' || errorCode(cause) === 'EPERM' ? '; run this with sudo' : ''
    throw new UnavailableError('IMPORT_NOT_WRITTEN', `${output} and its tokens cannot be written${advice}`, {
      cause,
    })
  }
}

function exists(path: string): UnavailableError {
  return new UnavailableError(
    'IMPORT_OUTPUT_EXISTS',
    `${path} exists and is not overwritten; look at --dry-run first, then use --force or another --output`,
  )
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  )
}

/** The file that the package brings has every setting commented out. */
async function saysNothing(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8')
  const { tree, problems } = readYaml({ path, text })
  return problems.length === 0 && Object.keys(tree).length === 0
}

async function holds(path: string, token: string): Promise<boolean> {
  return (await readFile(path, 'utf8')).trim() === token
}

interface FileRights {
  readonly mode: number
  readonly owner: ImportFiles['owner']
}

async function replaceFile(path: string, text: string, { mode, owner }: FileRights): Promise<void> {
  const draft = `${path}.new`
  await rm(draft, { force: true })
  try {
    await using file = await open(draft, 'wx', mode)
    await file.chmod(mode)
    if (owner !== undefined) await file.chown(owner.uid, owner.gid)
    await file.writeFile(text)
    await file.sync()
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await rename(draft, path)
}
