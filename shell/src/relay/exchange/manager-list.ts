/** Who of the hosts on one id is told that it gets clients, or none. */
export interface ManagerChange<M> {
  readonly active?: M
  readonly standby?: M
}

/**
 * Control links of one id, newest first: the first is in charge, the others stand by (spec shell 8.1, B11). Pure but
 * for what it keeps.
 */
export class ManagerList<M> {
  #managers: readonly M[] = []

  /** Newest first. */
  get all(): readonly M[] {
    return this.#managers
  }

  get active(): M | undefined {
    return this.#managers[0]
  }

  /** It takes over from the one before. */
  add(manager: M): ManagerChange<M> {
    const before = this.active
    this.#managers = [manager, ...this.#managers]
    return before === undefined ? {} : { standby: before }
  }

  /** Where it was in charge, the next newest is again. */
  delete(manager: M): ManagerChange<M> {
    const wasActive = this.active === manager
    this.#managers = this.#managers.filter((other) => other !== manager)
    const { active } = this
    return wasActive && active !== undefined ? { active } : {}
  }
}
