import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { expectCommand } from './run-command.ts'

const folder = '/proc/sys/fs/binfmt_misc'
const name = 'qemu-aarch64'
/** Debian's own line: the interpreter is opened when it is registered (F), so that it is found from within any root. */
const line = '/usr/lib/binfmt.d/qemu-aarch64.conf'

/** While this is held, the kernel runs programs for arm64 by qemu, as on a desktop with qemu-user. Leaves what it found. */
export class ForeignPrograms implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack

  private constructor(stack: AsyncDisposableStack) {
    this.#stack = stack
  }

  /** @throws {Error} where the kernel does not let us. */
  static async allow(): Promise<ForeignPrograms> {
    await using stack = new AsyncDisposableStack()
    if (process.arch !== 'arm64') {
      if (!existsSync(`${folder}/register`)) {
        await expectCommand('mount', ['-t', 'binfmt_misc', 'binfmt_misc', folder])
        stack.defer(async () => void (await expectCommand('umount', [folder])))
      }
      // Under another name by other distributions: then theirs does it.
      if (!readdirSync(folder).some((entry) => entry.includes('aarch64'))) {
        await writeFile(`${folder}/register`, (await readFile(line, 'utf8')).trim())
        stack.defer(() => writeFile(`${folder}/${name}`, '-1'))
      }
    }
    return new ForeignPrograms(stack.move())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}
