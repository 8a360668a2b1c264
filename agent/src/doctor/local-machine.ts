import { constants } from 'node:fs'
import { open, readdir, readlink, realpath, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, systemClock } from '@relay/common/clock'
import type { Environment } from '@relay/common/proxy'
import { findProgram } from '../video/find-program.ts'
import { runTool } from '../video/run-tool.ts'
import type { CommandEnd, CommandLimits, FileFacts, Machine, SpaceFacts } from './machine.ts'

export interface LocalMachineOptions {
  readonly environment: Environment
  /** Aborts what runs. */
  readonly signal: AbortSignal
  /** What stands for `/`. Default: itself. */
  readonly root?: string
  readonly clock?: Clock
}

const standardTimeoutMs = 4_000
const maxTextBytes = 65_536
/** A directory with more entries is none of those that are looked at. */
const maxNames = 20_000

/** The machine on which this process runs, or a tree of files in place of it. */
export class LocalMachine implements Machine {
  readonly environment: Environment
  readonly clock: Clock
  readonly userId = process.getuid?.() ?? -1
  readonly #root: string
  readonly #signal: AbortSignal

  constructor({ environment, signal, root = '/', clock = systemClock }: LocalMachineOptions) {
    this.environment = environment
    this.clock = clock
    this.#root = root
    this.#signal = signal
  }

  async readText(path: string): Promise<string | undefined> {
    // The card of another board may hold links that lead to files of this one.
    if (this.#root !== '/' && (await this.realPath(path)) === undefined) return undefined
    try {
      // A pipe without a writer, or a device, must not keep us.
      await using file = await open(this.#at(path), constants.O_RDONLY | constants.O_NONBLOCK)
      if (!(await file.stat()).isFile()) return undefined
      const buffer = Buffer.alloc(maxTextBytes)
      let length = 0
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, length)
        if (bytesRead === 0) break
        length += bytesRead
      }
      return buffer.toString('utf8', 0, length)
    } catch {
      return undefined
    }
  }

  async list(path: string): Promise<readonly string[]> {
    const names = await readdir(this.#at(path)).catch(() => [])
    return names.slice(0, maxNames).toSorted()
  }

  async stat(path: string): Promise<FileFacts | undefined> {
    const facts = await stat(this.#at(path)).catch(() => undefined)
    if (facts === undefined) return undefined
    return {
      kind: facts.isFile()
        ? 'file'
        : facts.isDirectory()
          ? 'directory'
          : facts.isCharacterDevice()
            ? 'character'
            : 'other',
      mode: facts.mode & 0o7777,
      uid: facts.uid,
      gid: facts.gid,
      sizeBytes: facts.size,
    }
  }

  async realPath(path: string): Promise<string | undefined> {
    const [real, root] = await Promise.all([
      realpath(this.#at(path)).catch(() => undefined),
      realpath(this.#root).catch(() => this.#root),
    ])
    if (real === undefined || root === '/') return real
    return real.startsWith(`${root}/`) ? real.slice(root.length) : undefined
  }

  async readLink(path: string): Promise<string | undefined> {
    return await readlink(this.#at(path)).catch(() => undefined)
  }

  async space(path: string): Promise<SpaceFacts | undefined> {
    const facts = await statfs(this.#at(path)).catch(() => undefined)
    if (facts === undefined) return undefined
    return {
      totalBytes: facts.blocks * facts.bsize,
      freeBytes: facts.bavail * facts.bsize,
      totalInodes: facts.files,
      freeInodes: facts.ffree,
    }
  }

  async run(program: string, args: readonly string[], limits: CommandLimits = {}): Promise<CommandEnd> {
    const { timeoutMs = standardTimeoutMs, ...rest } = limits
    // Some of what is asked is not for every user, and not in the search path of every user.
    const file = findProgram(program, `${this.environment.PATH ?? ''}:/usr/sbin:/sbin`)
    if (file === undefined) return { kind: 'missing' }
    const { outcome, exitCode, stdout, stderr } = await runTool(
      { file, args },
      { timeoutMs, ...rest, clock: this.clock, signal: this.#signal },
    )
    if (outcome === 'not started') return { kind: 'missing' }
    return outcome === 'ended'
      ? { kind: 'ended', code: exitCode ?? 128, stdout, stderr }
      : { kind: 'late', stdout, stderr }
  }

  #at(path: string): string {
    return this.#root === '/' ? path : join(this.#root, path)
  }
}
