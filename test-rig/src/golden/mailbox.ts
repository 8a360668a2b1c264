/**
 * What arrives in one place and is waited for in another, in order.
 *
 * Invariant: items and takers are never both waiting.
 */
export class Mailbox<T> {
  readonly #items: T[] = []
  readonly #takers: ((item: T) => void)[] = []

  /** How many items nobody has taken. */
  get size(): number {
    return this.#items.length
  }

  put(item: T): void {
    const taker = this.#takers.shift()
    if (taker === undefined) this.#items.push(item)
    else taker(item)
  }

  /** The oldest item, as soon as there is one; undefined when none came within the time. */
  take(withinMs: number): Promise<T | undefined> {
    const waiting = this.#items.shift()
    if (waiting !== undefined) return Promise.resolve(waiting)
    return new Promise((resolve) => {
      const taker = (item: T): void => {
        clearTimeout(timer)
        resolve(item)
      }
      const timer = setTimeout(() => {
        const place = this.#takers.indexOf(taker)
        if (place !== -1) this.#takers.splice(place, 1)
        resolve(undefined)
      }, withinMs)
      this.#takers.push(taker)
    })
  }

  /** Takes all that is there now. */
  drain(): readonly T[] {
    return this.#items.splice(0)
  }
}

/** Waits for an answer no longer than the time given; undefined when it did not come. */
export async function within<T>(promise: Promise<T>, withinMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, withinMs))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
