import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DebianArchitecture, PackageName } from '../debian/package-definition.ts'
import { runCommand } from './container/run-command.ts'
import { builtPackage } from './packages.ts'

/** A built package, unpacked into a folder with its control files in `DEBIAN`. Disposing removes the folder. */
export class UnpackedPackage implements Disposable {
  readonly name: PackageName
  readonly architecture: DebianArchitecture
  readonly file: string
  readonly root: string

  private constructor(name: PackageName, architecture: DebianArchitecture) {
    this.name = name
    this.architecture = architecture
    this.file = builtPackage(name, architecture)
    this.root = mkdtempSync(join(tmpdir(), `${name}-`))
  }

  static async open(name: PackageName, architecture: DebianArchitecture): Promise<UnpackedPackage> {
    const unpacked = new UnpackedPackage(name, architecture)
    const { code, stderr } = await runCommand('dpkg-deb', ['-R', unpacked.file, unpacked.root])
    if (code !== 0) throw new Error(`dpkg-deb cannot unpack ${unpacked.file}: ${stderr}`)
    return unpacked
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts)
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
