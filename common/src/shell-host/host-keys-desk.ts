import type { Clock } from '../clock.ts'
import { AppError, describeError } from '../errors.ts'
import type { Log } from '../log.ts'
import { readInTime } from '../read-in-time.ts'
import type { DeviceKey } from './device-key.ts'
import { hostKeysMessage } from './host-keys-message.ts'
import { type HostKeys, readHostKeys } from './read-host-keys.ts'

export interface HostKeysOptions {
  /** Shell id of this host. */
  readonly id: string
  /** Folder of `ssh_host_*_key.pub`; empty: nothing is published. */
  readonly directory: string
  /** Empty: they go out unsigned. */
  readonly deviceKeyFile: string
}

/** Keys of sshd change when a system is set up anew, once in years. */
const lookEveryMs = 30_000

/**
 * Knows the public keys of sshd and says when they change.
 *
 * Invariants: a file that cannot be read is told once and keeps nothing else back; keys that are gone for a moment, while
 * they are made anew, do not take back those that are published; a device key that is wrong leaves the keys unsigned.
 */
export class HostKeysDesk {
  readonly #options: HostKeysOptions
  readonly #deps: { readonly clock: Clock; readonly log: Log }
  readonly #read: () => Promise<HostKeys>
  #keys: readonly string[] = []
  #told = ''

  constructor(options: HostKeysOptions, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options
    this.#deps = deps
    const late = (): AppError =>
      new AppError('HOST_KEYS_UNREADABLE', `the folder ${options.directory} did not answer in time`)
    this.#read = readInTime(() => readHostKeys(options.directory), { clock: deps.clock, late })
  }

  get count(): number {
    return this.#keys.length
  }

  /** Calls `onChange` when keys are known for the first time and whenever they change, until `signal` aborts. */
  async watch(onChange: () => void, signal: AbortSignal): Promise<void> {
    if (this.#options.directory === '') return
    while (!signal.aborted) {
      if (await this.#look()) onChange()
      await this.#deps.clock.sleep(lookEveryMs, signal)
    }
  }

  /** What the relay is told; undefined where there is nothing to tell. */
  async message(): Promise<string | undefined> {
    if (this.#keys.length === 0) return undefined
    const { id } = this.#options
    const deviceKey = await this.#deviceKey()
    return await hostKeysMessage({ id, keys: this.#keys, deviceKey, nowMs: this.#deps.clock.nowMs() })
  }

  /** Whether there is something new. */
  async #look(): Promise<boolean> {
    const { keys, problems } = await this.#read().catch(
      (error: unknown): HostKeys => ({ keys: [], problems: [describeError(error)] }),
    )
    this.#tell(problems)
    if (keys.length === 0 || keys.join('\n') === this.#keys.join('\n')) return false
    this.#keys = keys
    return true
  }

  async #deviceKey(): Promise<DeviceKey | undefined> {
    const { deviceKeyFile } = this.#options
    if (deviceKeyFile === '') return undefined
    try {
      // Loaded only where there is one: it costs memory.
      const { readDeviceKey } = await import('./device-key.ts')
      return await readDeviceKey(deviceKeyFile)
    } catch (error) {
      this.#deps.log.warn({ error }, 'the device key cannot be used: host keys go out unsigned')
      return undefined
    }
  }

  /** The same again is told once. */
  #tell(problems: readonly string[]): void {
    const text = problems.join('; ')
    if (text !== '' && text !== this.#told)
      this.#deps.log.warn({ problems }, 'some keys of sshd cannot be published')
    this.#told = text
  }
}
