import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { ConfigError } from '../errors.ts'
import type { Log } from '../log.ts'
import { Progress } from '../progress.ts'
import { type KeyDirectory, readKeyDirectory } from '../token/key-directory.ts'
import { type KeyRing, secretsKeyRing } from '../token/key-ring.ts'
import { readSecretLines } from '../read-secret-lines.ts'

export interface KeySourceOptions {
  /** A secret given as a value; undefined for none. */
  readonly secret: string | undefined
  readonly secretFiles: readonly string[]
  readonly keyDirectory: string | undefined
  /** Where systemd puts credentials; bare names of `secretFiles` are looked up there. */
  readonly credentialsDirectory: string | undefined
  readonly everyMs: number
}

export interface KeySourceDeps {
  readonly clock: Clock
  readonly log: Log
  /** Key ids that are gone, or stand for another key or policy now: what was let in by them must end. */
  readonly onRetired: (keyIds: ReadonlySet<string>) => void
}

/** A machine that is busy reads this much later. */
const lateMs = 30_000

/** Shorter secrets can be guessed offline from one token. */
const shortSecretBytes = 32

/**
 * The keys that are valid at this moment, read again and again, so that secrets can be changed and devices retired
 * without a restart. What cannot be read keeps its last state, and is logged once until that changes.
 */
export class KeySource {
  /** A disk that hangs breaks no promise: the last keys stay valid, and after a restart there would be none. */
  readonly progress: Progress
  readonly #options: KeySourceOptions
  readonly #deps: KeySourceDeps
  #refreshing: Promise<void> | undefined
  #ring: KeyRing = { secrets: [], publicKeys: new Map() }
  readonly #reported = new Set<string>()
  /** Of the key folder, as last read. */
  #problems: ReadonlySet<string> = new Set()
  #keysByFile: KeyDirectory['byFile'] = new Map()

  constructor(options: KeySourceOptions, deps: KeySourceDeps) {
    this.progress = new Progress(deps.clock)
    this.#options = options
    this.#deps = deps
  }

  /** The keys of this moment. */
  get ring(): KeyRing {
    return this.#ring
  }

  /**
   * The first reading: everything must be there.
   * @throws {ConfigError} `SECRET_FILE_UNREADABLE`, `SECRET_EMPTY`, `KEY_DIRECTORY_UNREADABLE`.
   */
  async load(): Promise<void> {
    const secrets = await this.#readSecrets()
    if (secrets.length === 0 && this.#options.keyDirectory === undefined) {
      throw new ConfigError('SECRET_EMPTY', 'the secret is empty: with it anybody could make tokens')
    }
    for (const secret of secrets) {
      const bytes = Buffer.byteLength(secret)
      if (bytes >= shortSecretBytes) continue
      this.#deps.log.warn(
        { bytes, wantedBytes: shortSecretBytes },
        'a secret is short: it can be guessed from a token',
      )
    }
    this.#ring = { secrets: secretsKeyRing(...secrets).secrets, publicKeys: await this.#readPublicKeys() }
  }

  /** Reads again until `signal` aborts. Never rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    const { secretFiles, keyDirectory, everyMs } = this.#options
    if (secretFiles.length === 0 && keyDirectory === undefined) return
    while (!signal.aborted) {
      this.progress.promise(everyMs + lateMs)
      await this.#deps.clock.sleep(everyMs, signal)
      this.progress.rest()
      if (!signal.aborted) await this.refresh()
    }
  }

  /** Reads now, or waits for the reading that has begun. Never rejects. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  /** Reads everything as it is now, after a reading that has begun before. Never rejects. */
  async reread(): Promise<void> {
    await this.#refreshing
    await this.refresh()
  }

  async #refresh(): Promise<void> {
    const before = this.#ring
    const secrets = await this.#tryRead(
      'secrets',
      async () => secretsKeyRing(...(await this.#readSecrets())).secrets,
    )
    const publicKeys = await this.#tryRead('keys', () => this.#readPublicKeys())
    this.#ring = { secrets: secrets ?? before.secrets, publicKeys: publicKeys ?? before.publicKeys }
    const retired = new Set(
      [...before.publicKeys.values()]
        .filter(({ keyId, fingerprint }) => this.#ring.publicKeys.get(keyId)?.fingerprint !== fingerprint)
        .map(({ keyId }) => keyId),
    )
    if (retired.size === 0) return
    this.#deps.log.info({ keyIds: [...retired] }, 'keys retired')
    this.#deps.onRetired(retired)
  }

  async #tryRead<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      const value = await read()
      if (this.#reported.delete(what)) this.#deps.log.info({ what }, 'keys can be read again')
      return value
    } catch (error) {
      if (!this.#reported.has(what))
        this.#deps.log.error({ what, error }, 'keys cannot be read: the last ones stay valid')
      this.#reported.add(what)
      return undefined
    }
  }

  async #readSecrets(): Promise<readonly string[]> {
    const { secret, secretFiles } = this.#options
    if (secret !== undefined && secret.trim() === '') {
      throw new ConfigError('SECRET_EMPTY', 'the secret is empty: with it anybody could make tokens')
    }
    const files = await Promise.all(secretFiles.map((name) => readSecretLines(this.#pathOf(name))))
    return [...new Set([...(secret === undefined ? [] : [secret]), ...files.flat()])]
  }

  /** A bare name is a credential of systemd. */
  #pathOf(name: string): string {
    const { credentialsDirectory } = this.#options
    return name.includes('/') || credentialsDirectory === undefined ? name : join(credentialsDirectory, name)
  }

  async #readPublicKeys(): Promise<KeyRing['publicKeys']> {
    const { keyDirectory } = this.#options
    if (keyDirectory === undefined) return new Map()
    const { publicKeys, problems, byFile } = await readKeyDirectory(keyDirectory, this.#keysByFile)
    this.#keysByFile = byFile
    for (const problem of problems) {
      if (!this.#problems.has(problem))
        this.#deps.log.error({ problem }, 'a key file is wrong: its last key stays valid')
    }
    this.#problems = new Set(problems)
    return publicKeys
  }
}
