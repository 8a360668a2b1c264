import type { Pair } from './pair.ts'

/** All pairs that are not over, by what they are looked up and counted by. */
export class PairRegistry {
  readonly #byConnection = new Map<string, Pair>()
  readonly #byId = new Map<string, Set<Pair>>()
  readonly #byAddress = new Map<string, Set<Pair>>()

  get size(): number {
    return this.#byConnection.size
  }

  /** Oldest first. */
  all(): Iterable<Pair> {
    return this.#byConnection.values()
  }

  get(connectionId: string): Pair | undefined {
    return this.#byConnection.get(connectionId)
  }

  /** Of one shell id, oldest first. */
  of(id: string): Iterable<Pair> {
    return this.#byId.get(id) ?? []
  }

  add(pair: Pair): void {
    const { connectionId, id } = pair.permission
    this.#byConnection.set(connectionId, pair)
    addTo(this.#byId, id, pair)
    addTo(this.#byAddress, pair.address, pair)
  }

  delete(pair: Pair): void {
    const { connectionId, id } = pair.permission
    if (!this.#byConnection.delete(connectionId)) return
    deleteFrom(this.#byId, id, pair)
    deleteFrom(this.#byAddress, pair.address, pair)
  }

  /** Sessions of an id; those of old clients that are only parked are none. */
  countOfId(id: string): number {
    return countLive(this.#byId.get(id))
  }

  countOfAddress(address: string): number {
    return countLive(this.#byAddress.get(address))
  }

  /** Clients of an id that wait for a host to come. */
  countWaiting(id: string): number {
    let count = 0
    for (const { phase } of this.of(id)) if (phase === 'waiting') count += 1
    return count
  }
}

function countLive(pairs: ReadonlySet<Pair> | undefined): number {
  let count = 0
  for (const { phase } of pairs ?? []) if (phase !== 'parked') count += 1
  return count
}

function addTo(map: Map<string, Set<Pair>>, key: string, pair: Pair): void {
  const pairs = map.get(key)
  if (pairs === undefined) map.set(key, new Set([pair]))
  else pairs.add(pair)
}

function deleteFrom(map: Map<string, Set<Pair>>, key: string, pair: Pair): void {
  const pairs = map.get(key)
  pairs?.delete(pair)
  if (pairs?.size === 0) map.delete(key)
}
