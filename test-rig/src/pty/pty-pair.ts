import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { watch } from 'node:fs'
import { UnavailableError } from '@relay/common/errors'
import { OwnedProcess } from '../lab/owned-process.ts'

const plugTimeoutMs = 10_000

/**
 * A serial cable made by socat: two linked raw ptys with stable names, `host` (the computer's end) and `device` (the
 * instrument's). Invariants: the names exist exactly while it is plugged in; they stay the same over pull and plug;
 * disposing ends socat and removes the folder.
 */
export class PtyPair implements AsyncDisposable {
  readonly hostPath: string
  readonly devicePath: string
  readonly #directory: string
  #socat: OwnedProcess | undefined

  private constructor(directory: string) {
    this.#directory = directory
    this.hostPath = join(directory, 'host')
    this.devicePath = join(directory, 'device')
  }

  /** A pair that is plugged in, in a new folder inside `parent`. */
  static async create(parent: string = tmpdir()): Promise<PtyPair> {
    const pair = new PtyPair(await mkdtemp(join(parent, 'relay-pty-')))
    try {
      await pair.plug()
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
    return pair
  }

  /** Resolves when the cable is gone, pulled or broken; at once where none is plugged in. */
  async unplugged(): Promise<void> {
    await this.#socat?.ended
  }

  /**
   * Plugs the cable in: resolves when both ends exist. A pair that is plugged in already stays as it is.
   * @throws {UnavailableError} `SOCAT_MISSING`; `PTY_FAILED` with what socat said.
   */
  async plug(): Promise<void> {
    if (this.#socat?.isAlive === true) return
    await this.#removeLinks()
    const socat = await OwnedProcess.start({
      name: 'socat',
      command: 'socat',
      args: [`pty,rawer,link=${this.devicePath}`, `pty,rawer,link=${this.hostPath}`],
    })
    this.#socat = socat
    try {
      await this.#bothEnds(socat)
    } catch (error) {
      await this.pull()
      throw error
    }
  }

  /** Pulls the cable: both ends hang up and their names vanish. */
  async pull(): Promise<void> {
    await this.#socat?.kill()
    this.#socat = undefined
    // A killed socat leaves its links, and they may soon point to somebody else's pty.
    await this.#removeLinks()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pull()
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #removeLinks(): Promise<void> {
    await Promise.all([rm(this.hostPath, { force: true }), rm(this.devicePath, { force: true })])
  }

  async #bothEnds(socat: OwnedProcess): Promise<void> {
    using watcher = watchDirectory(this.#directory)
    let hasEnded = false
    const ended = socat.ended.then(() => {
      hasEnded = true
    })
    const deadlineMs = performance.now() + plugTimeoutMs
    while (!(await areThere([this.hostPath, this.devicePath]))) {
      if (hasEnded) throw socatError(socat)
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) throw new UnavailableError('PTY_FAILED', 'socat made no ptys within 10 s')
      await Promise.race([watcher.changed(leftMs), ended])
    }
  }
}

function socatError(socat: OwnedProcess): UnavailableError {
  if (socat.isMissing) {
    return new UnavailableError('SOCAT_MISSING', 'socat is not installed: run "sudo apt-get install socat"')
  }
  const said = socat.lastLines.at(-1) ?? 'nothing'
  return new UnavailableError('PTY_FAILED', `socat cannot make a pty pair; it said: ${said}`)
}

interface DirectoryWatcher extends Disposable {
  /** Resolves at the next change, or after the time. */
  changed(withinMs: number): Promise<void>
}

function watchDirectory(path: string): DirectoryWatcher {
  let wake = (): void => {}
  let isChanged = false
  const watcher = watch(path, () => {
    isChanged = true
    wake()
  })
  watcher.on('error', () => {})
  return {
    changed: (withinMs) =>
      new Promise((resolve) => {
        const end = (): void => {
          clearTimeout(timer)
          wake = () => {}
          isChanged = false
          resolve()
        }
        const timer = setTimeout(end, withinMs)
        wake = end
        if (isChanged) end()
      }),
    [Symbol.dispose]: () => watcher.close(),
  }
}

async function areThere(paths: readonly string[]): Promise<boolean> {
  try {
    await Promise.all(paths.map((path) => access(path)))
    return true
  } catch {
    return false
  }
}
