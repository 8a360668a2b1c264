import type { TtyPoller } from './tty-binding.ts'

/**
 * The pollers of a port that is opened again and again, one for each number that its descriptor ever had: the library
 * never frees one, so that a new one for each opening would cost 1.1 kB, for ever. A poller knows its descriptor by
 * the number alone, and the kernel deals out the lowest that is free: there are few.
 */
export class TtyPollers {
  readonly #pollersByFd = new Map<number, TtyPoller>()

  /** The one of `fd`, which `make` makes where there is none yet. Nobody listens to it, and it waits for nothing. */
  of(fd: number, make: (fd: number) => TtyPoller): TtyPoller {
    const known = this.#pollersByFd.get(fd)
    if (known !== undefined) return known
    const made = make(fd)
    this.#pollersByFd.set(fd, made)
    return made
  }
}
