import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { joinXz } from './join-xz.ts'

export interface DebOptions {
  /** A folder with the files, and `DEBIAN` with the control files. */
  readonly root: string
  /** Where the package is written. */
  readonly file: string
  readonly modifiedAtSeconds: number
  /** Of xz, 0 to 9. */
  readonly compression: number
  /** The one large file, from the root: it is compressed once and kept in `cache`, by its hash. */
  readonly large: string
  readonly cache: string
}

const tarWithinMs = 120_000
const blockBytes = 512

/**
 * Writes a binary package (deb(5)): what `dpkg-deb --build` does, but that nine tenths of it, Node, are not compressed
 * anew for every package of every commit.
 */
export async function writeDeb(options: DebOptions): Promise<void> {
  const { root, file, modifiedAtSeconds, compression, large, cache } = options
  const controlTar = `${root}.control.tar`
  const dataTar = `${root}.data.tar`
  await tar(['-cf', controlTar, '-C', join(root, 'DEBIAN'), '.'], modifiedAtSeconds)
  await tar(['--exclude=./DEBIAN', '-cf', dataTar, '-C', root, '.'], modifiedAtSeconds)
  const data = await readFile(dataTar)
  const { begin, end } = placeIn(data, `./${large}`)
  const parts = await Promise.all([
    compressed(data.subarray(0, begin), compression),
    compressedOnce(data.subarray(begin, end), { compression, cache }),
    compressed(data.subarray(end), compression),
  ])
  const members: readonly (readonly [name: string, content: Buffer])[] = [
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.xz', await compressed(await readFile(controlTar), compression)],
    ['data.tar.xz', joinXz(parts)],
  ]
  const output = await open(file, 'w', 0o644)
  try {
    await output.write('!<arch>\n')
    for (const [name, content] of members) {
      const head = [
        name.padEnd(16),
        String(modifiedAtSeconds).padEnd(12),
        '0'.padEnd(6),
        '0'.padEnd(6),
        '100644'.padEnd(8),
        String(content.length).padEnd(10),
      ]
      await output.write(`${head.join('')}\`\n`)
      await output.write(content)
      if (content.length % 2 === 1) await output.write('\n')
    }
  } finally {
    await output.close()
  }
}

async function tar(args: readonly string[], modifiedAtSeconds: number): Promise<void> {
  const same = [
    '--format=gnu',
    '--sort=name',
    '--owner=root:0',
    '--group=root:0',
    `--mtime=@${modifiedAtSeconds}`,
  ]
  const env = { ...process.env, LC_ALL: 'C' }
  await promisify(execFile)('tar', [...same, ...args], { env, timeout: tarWithinMs })
}

/** Where the content of a file lies in a tar archive; its padding is not part of it. */
function placeIn(archive: Buffer, path: string): { readonly begin: number; readonly end: number } {
  for (let at = 0; archive.readUInt8(at) !== 0; ) {
    const name = archive
      .subarray(at, at + 100)
      .toString('latin1')
      .replace(/\0.*$/s, '')
    const size = Number.parseInt(archive.subarray(at + 124, at + 135).toString('latin1'), 8)
    const begin = at + blockBytes
    if (name === path) return { begin, end: begin + size }
    at = begin + Math.ceil(size / blockBytes) * blockBytes
  }
  throw new Error(`${path} is not in the archive`)
}

async function compressedOnce(
  content: Buffer,
  { compression, cache }: { readonly compression: number; readonly cache: string },
): Promise<Buffer> {
  const hash = createHash('sha256').update(content).digest('hex')
  const kept = join(cache, `${hash}-${compression}.xz`)
  try {
    return await readFile(kept)
  } catch {
    // Not yet.
  }
  const result = await compressed(content, compression)
  await mkdir(cache, { recursive: true })
  const unfinished = `${kept}.${process.pid}.${performance.now()}`
  await writeFile(unfinished, result)
  await rename(unfinished, kept)
  return result
}

/** By one thread: with more of them the bytes would depend on the machine. */
async function compressed(content: Buffer, compression: number): Promise<Buffer> {
  const xz = spawn('xz', [`-${compression}`, '--threads=1', '--stdout'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve, reject) => {
    xz.on('error', reject)
    xz.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`xz ended with exit code ${code}`))))
  })
  // Its exit code tells more than a pipe that broke.
  xz.stdin.on('error', () => undefined)
  xz.stdin.end(content)
  const [result] = await Promise.all([buffer(xz.stdout), ended])
  return result
}
