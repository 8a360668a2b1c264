/** Stops what was subscribed; calling it twice is harmless. */
export type Unsubscribe = () => void

/** A value that others look at and follow. Setting an equal value (`Object.is`) tells nobody. */
export class Store<T> {
  #value: T
  readonly #listeners = new Set<(value: T) => void>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of this.#listeners) listener(value)
  }

  /** Calls `listener` at every change from now on. */
  subscribe(listener: (value: T) => void): Unsubscribe {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
