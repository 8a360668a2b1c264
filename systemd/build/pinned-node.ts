import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { Cpu } from './collect-prebuilds.ts'

/**
 * The Node that goes into the packages. The lockfile holds the sha512 of the npm packages; these are the sha256 of the
 * binaries inside, so that nobody between the Node project and us can exchange one. A new version needs all three lines.
 */
export const nodeVersion = '24.21.0'
const binaryHashes: Readonly<Record<Cpu, string>> = {
  x64: '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
  arm64: '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
}
const fetchWithinMs = 180_000

export interface PinnedNode {
  readonly binary: string
  readonly licence: string
}

/**
 * The Node binary for a processor, its hash checked: from `node_modules` for this machine's, else fetched by npm once
 * and kept in `node_modules/.cache`.
 * @throws where it cannot be had, or is not the one that was pinned.
 */
export async function pinnedNode(cpu: Cpu, checkout: string): Promise<PinnedNode> {
  const installed = join(checkout, 'node_modules', `node-linux-${cpu}`)
  const folder = (await isThere(installed)) ? installed : await fetched(cpu, checkout)
  const binary = join(folder, 'bin', 'node')
  const hash = await hashOf(binary, 'sha256', 'hex')
  if (hash !== binaryHashes[cpu]) {
    throw new Error(
      `${binary} has the sha256 ${hash}, and Node ${nodeVersion} for ${cpu} ${binaryHashes[cpu]}`,
    )
  }
  return { binary, licence: join(folder, 'LICENSE') }
}

async function fetched(cpu: Cpu, checkout: string): Promise<string> {
  const name = `node-linux-${cpu}`
  const cache = join(checkout, 'node_modules', '.cache', 'relay')
  const folder = join(cache, `${name}-${nodeVersion}`)
  if (await isThere(folder)) return folder
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'fetching-'))
  try {
    await runNpm(['pack', `${name}@${nodeVersion}`, '--silent', '--pack-destination', work], checkout)
    const archive = join(work, `${name}-${nodeVersion}.tgz`)
    const integrity = `sha512-${await hashOf(archive, 'sha512', 'base64')}`
    const expected = await integrityInLockfile(name, checkout)
    if (integrity !== expected) {
      throw new Error(
        `npm gave ${name}@${nodeVersion} with ${integrity}, and package-lock.json says ${expected}`,
      )
    }
    await promisify(execFile)('tar', ['-xzf', archive, '-C', work, 'package/bin/node', 'package/LICENSE'])
    // Another build may have been quicker.
    await rename(join(work, 'package'), folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return folder
}

async function integrityInLockfile(name: string, checkout: string): Promise<string> {
  const lock = JSON.parse(await readFile(join(checkout, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>
  }
  const entry = lock.packages[`node_modules/${name}`]
  if (entry?.version !== nodeVersion || entry.integrity === undefined) {
    throw new Error(`package-lock.json pins ${name} ${entry?.version}, and the packages carry ${nodeVersion}`)
  }
  return entry.integrity
}

async function runNpm(args: readonly string[], cwd: string): Promise<void> {
  const path = process.env['npm_execpath']
  const [command, ...first] = path === undefined ? ['npm'] : [process.execPath, path]
  await promisify(execFile)(command ?? 'npm', [...first, ...args], { cwd, timeout: fetchWithinMs })
}

async function hashOf(file: string, algorithm: string, encoding: 'hex' | 'base64'): Promise<string> {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(file), hash)
  return hash.digest(encoding)
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
