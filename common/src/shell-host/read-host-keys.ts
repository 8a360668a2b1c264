import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describeError } from '../errors.ts'
import { readStart } from '../read-start.ts'
import { maxHostKeyFileBytes, parseHostKey } from './host-key.ts'

export interface HostKeys {
  /** In the order of their files' names; each as `ssh-ed25519 AAAA…`. */
  readonly keys: readonly string[]
  /** One sentence for each file that is no key, or for a folder without any. */
  readonly problems: readonly string[]
}

/** sshd has one for each algorithm. */
const maxFiles = 16
/** Together: with the signature over them they must fit into a message of 16 KiB (PROTOCOL.md). */
const maxKeyBytes = 5_000

/** Reads every `ssh_host_*_key.pub` of a folder. A file that is wrong is told and keeps no other back. Never rejects. */
export async function readHostKeys(directory: string): Promise<HostKeys> {
  let names: readonly string[]
  try {
    names = (await readdir(directory)).filter((name) => /^ssh_host_.*_key\.pub$/.test(name)).toSorted()
  } catch (error) {
    return { keys: [], problems: [`the folder of host keys ${directory}: ${describeError(error)}`] }
  }
  const keys: string[] = []
  const problems: string[] = []
  let bytes = 0
  for (const name of names.slice(0, maxFiles)) {
    const path = join(directory, name)
    const key = await readHostKey(path)
    if (typeof key !== 'string') problems.push(key.problem)
    else if (bytes + key.length > maxKeyBytes) problems.push(`${path}: the keys are too long to be published`)
    else {
      bytes += key.length
      keys.push(key)
    }
  }
  if (names.length === 0) problems.push(`the folder ${directory} holds no ssh_host_*_key.pub`)
  return { keys, problems }
}

async function readHostKey(path: string): Promise<string | { readonly problem: string }> {
  try {
    const text = (await readStart(path, maxHostKeyFileBytes)).toString('latin1')
    return parseHostKey(text) ?? { problem: `${path} is no public key of ssh` }
  } catch (error) {
    return { problem: `${path}: ${describeError(error)}` }
  }
}
