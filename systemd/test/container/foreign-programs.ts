import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expectCommand } from './run-command.ts'

const folder = '/proc/sys/fs/binfmt_misc'
/** Debian's own line: the interpreter is opened when it is registered (F), so that it is found from within any root. */
const line = '/usr/lib/binfmt.d/qemu-aarch64.conf'
/** Begins the name of every entry of ours, before the number of the process that owns it and one of its own. */
const prefix = 'relay-test-'
/** What it is mounted from, as the list of mounts shows it. */
const mountedByUs = 'relay-test'

/**
 * While this is held, the kernel runs programs for arm64 by qemu, as on a desktop with qemu-user. Leaves what it found.
 * Two runs on one machine have an entry each: neither takes it from the other.
 */
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
        await expectCommand('mount', ['-t', 'binfmt_misc', mountedByUs, folder])
      }
      stack.defer(unmount)
      await sweepLeftovers()
      // Under another name by other distributions: then theirs does it.
      if (!entries().some((entry) => entry.includes('aarch64') && !entry.startsWith(prefix))) {
        const own = `${prefix}${process.pid}-${Math.round(performance.now() * 1000)}-aarch64`
        const text = (await readFile(line, 'utf8')).trim()
        await writeFile(`${folder}/register`, text.replace(/^:[^:]+:/, `:${own}:`))
        stack.defer(() => remove(own))
      }
    }
    return new ForeignPrograms(stack.move())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

function entries(): readonly string[] {
  return readdirSync(folder).filter((entry) => entry !== 'register' && entry !== 'status')
}

async function remove(entry: string): Promise<void> {
  await writeFile(join(folder, entry), '-1')
}

/** What a run of ours has mounted goes with the last that uses it. */
async function unmount(): Promise<void> {
  const isOurs = (await readFile('/proc/self/mounts', 'utf8')).includes(`${mountedByUs} ${folder} `)
  if (isOurs && entries().length === 0) await expectCommand('umount', [folder])
}

/** Takes away what killed runs left; they can be told by the number of a process that is no more. */
async function sweepLeftovers(): Promise<void> {
  for (const entry of entries().filter((each) => each.startsWith(prefix))) {
    const owner = Number.parseInt(entry.slice(prefix.length), 10)
    // Another run may have been quicker.
    if (!existsSync(`/proc/${owner}`)) await remove(entry).catch(() => undefined)
  }
}
