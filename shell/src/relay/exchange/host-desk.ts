import type { Clock } from '@relay/common/clock'
import { activeMessage, standbyMessage } from './control-messages.ts'
import { type HostKeys, maxManagerMessageBytes, readHostKeys } from './host-keys.ts'
import { HostMemory } from './host-memory.ts'
import type { Link } from './link.ts'
import { type ManagerChange, ManagerList } from './manager-list.ts'

export interface HostDeskOptions {
  /** Of how many ids keys and last presence are remembered. */
  readonly maxRememberedHosts: number
}

/** What hosts tell of their keys is read this often at most; of more, the last counts. */
const readKeysEveryMs = 1000

interface Told {
  keys?: HostKeys
  readMs: number
  /** Came too soon after the one before. */
  unread: Buffer | undefined
}

/**
 * The hosts' control links: who is in charge of an id, and what hosts have told.
 *
 * Invariant: per id the newest link is in charge; hosts of ours are told whenever that changes.
 */
export class HostDesk {
  readonly #clock: Clock
  readonly #memory: HostMemory
  readonly #lists = new Map<string, ManagerList<Link>>()
  readonly #told = new Map<Link, Told>()

  constructor({ maxRememberedHosts }: HostDeskOptions, clock: Clock) {
    this.#clock = clock
    this.#memory = new HostMemory(maxRememberedHosts)
  }

  /** How many control links there are. */
  get size(): number {
    return this.#told.size
  }

  /** How many ids have one. */
  get onlineIds(): number {
    return this.#lists.size
  }

  /** Of an id, newest first. */
  managersOf(id: string): readonly Link[] {
    return this.#lists.get(id)?.all ?? []
  }

  all(): Iterable<Link> {
    return this.#told.keys()
  }

  keysOf(id: string): HostKeys | undefined {
    return this.#memory.keysOf(id)
  }

  /** Wall clock; now where one is there. */
  lastSeenMsOf(id: string): number | undefined {
    return this.#lists.has(id) ? this.#clock.nowMs() : this.#memory.lastSeenMsOf(id)
  }

  /** It is in charge from here on. Those before it are asked whether they live: often it is the same host. */
  add(link: Link): void {
    const { id } = link.permission
    this.probe(id)
    const list = this.#lists.get(id) ?? new ManagerList<Link>()
    this.#lists.set(id, list)
    this.#told.set(link, { readMs: Number.NEGATIVE_INFINITY, unread: undefined })
    this.#tell(list.add(link), this.#clock.monotonicMs())
  }

  /** Asks whether the hosts of an id live. */
  probe(id: string): void {
    const nowMs = this.#clock.monotonicMs()
    for (const link of this.managersOf(id)) link.probe(nowMs)
  }

  delete(link: Link): void {
    const { id } = link.permission
    const list = this.#lists.get(id)
    if (!this.#told.delete(link) || list === undefined) return
    const change = list.delete(link)
    if (list.active === undefined) {
      this.#lists.delete(id)
      this.#memory.noteSeen(id, this.#clock.nowMs())
    }
    this.#tell(change, this.#clock.monotonicMs())
    const keys = change.active === undefined ? undefined : this.#told.get(change.active)?.keys
    if (keys !== undefined) this.#memory.noteKeys(id, keys)
  }

  /** A host has said something; of old hosts nothing counts. */
  heard(link: Link, message: Buffer, isBinary: boolean): void {
    const told = this.#told.get(link)
    const isOfNoUse = isBinary || link.kind !== 'tunnel' || message.length > maxManagerMessageBytes
    if (told === undefined || isOfNoUse) return
    if (this.#clock.monotonicMs() - told.readMs >= readKeysEveryMs) this.#read(link, told, message)
    else told.unread = message
  }

  /** Reads what came too soon; to be called every second. */
  sweep(): void {
    for (const [link, told] of this.#told) if (told.unread !== undefined) this.#read(link, told, told.unread)
  }

  #read(link: Link, told: Told, message: Buffer): void {
    told.readMs = this.#clock.monotonicMs()
    told.unread = undefined
    const keys = readHostKeys(message, this.#clock.nowMs())
    if (keys === undefined) return
    told.keys = keys
    const { id } = link.permission
    if (this.#lists.get(id)?.active === link) this.#memory.noteKeys(id, keys)
  }

  #tell({ active, standby }: ManagerChange<Link>, nowMs: number): void {
    if (active?.kind === 'tunnel') active.tell(activeMessage, nowMs)
    if (standby?.kind === 'tunnel') standby.tell(standbyMessage, nowMs)
  }
}
