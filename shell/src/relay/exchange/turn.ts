import type { Outbox, TurnEnd } from './outbox.ts'

/**
 * Lets what was written to a socket in one turn of the event loop leave in one system call: a chunk that came in with a
 * hundred messages goes out as one.
 */
export class Turn implements TurnEnd {
  #outboxes: Outbox[] = []
  readonly #end = (): void => {
    const outboxes = this.#outboxes
    this.#outboxes = []
    for (const outbox of outboxes) outbox.endTurn()
  }

  add(outbox: Outbox): void {
    this.#outboxes.push(outbox)
    if (this.#outboxes.length === 1) process.nextTick(this.#end)
  }
}
