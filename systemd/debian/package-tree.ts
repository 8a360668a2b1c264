import { createHash } from 'node:crypto'
import { chmod, copyFile, lstat, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

/**
 * The files of one package, in a folder that dpkg-deb packs. Every file gets the same time, and a mode that does not
 * depend on the umask: the same content always makes the same bytes.
 */
export class PackageTree {
  readonly root: string
  readonly #modifiedAtSeconds: number

  constructor(root: string, { modifiedAtSeconds }: { readonly modifiedAtSeconds: number }) {
    this.root = root
    this.#modifiedAtSeconds = modifiedAtSeconds
  }

  async write(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const file = await this.#place(path)
    await writeFile(file, content)
    await chmod(file, mode)
  }

  /** As Debian's policy wants papers; without name and time inside. */
  async writeCompressed(path: string, content: string): Promise<void> {
    await this.write(`${path}.gz`, gzipSync(content, { level: 9 }))
  }

  async copy(path: string, source: string, mode = 0o644): Promise<void> {
    const file = await this.#place(path)
    await copyFile(source, file)
    await chmod(file, mode)
  }

  /** All files, in order, without those of `DEBIAN`. */
  async files(): Promise<readonly string[]> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1))
      .filter((path) => !path.startsWith('DEBIAN/'))
      .toSorted()
  }

  /** As they lie on a disk: in blocks of a KiB, and one for each folder. */
  async installedKib(): Promise<number> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true })
    const sizes = await Promise.all(
      entries.map(async (entry) =>
        entry.isFile() ? Math.ceil((await lstat(join(entry.parentPath, entry.name))).size / 1024) : 1,
      ),
    )
    return sizes.reduce((sum, kib) => sum + kib, 0)
  }

  /** `DEBIAN/md5sums`, by which `dpkg --verify` finds changed files. */
  async writeChecksums(): Promise<void> {
    const conffiles = new Set(await this.#conffiles())
    const lines: string[] = []
    for (const path of await this.files()) {
      if (conffiles.has(`/${path}`)) continue
      const hash = createHash('md5').update(await readFile(join(this.root, path)))
      lines.push(`${hash.digest('hex')}  ${path}`)
    }
    await this.write('DEBIAN/md5sums', `${lines.join('\n')}\n`)
  }

  /** The last step: gives every file and folder its time. */
  async setTimes(): Promise<void> {
    const entries = await readdir(this.root, { recursive: true })
    for (const path of [...entries.map((entry) => join(this.root, entry)), this.root])
      await utimes(path, this.#modifiedAtSeconds, this.#modifiedAtSeconds)
  }

  async #conffiles(): Promise<readonly string[]> {
    const text = await readFile(join(this.root, 'DEBIAN/conffiles'), 'utf8').catch(() => '')
    return text.split('\n')
  }

  async #place(path: string): Promise<string> {
    const file = join(this.root, path)
    const missing = await mkdir(dirname(file), { recursive: true })
    if (missing !== undefined) {
      for (let folder = dirname(file); folder.length >= this.root.length; folder = dirname(folder))
        await chmod(folder, 0o755)
    }
    return file
  }
}
