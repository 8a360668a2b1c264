import type { AppError } from '@relay/common/errors'
import type { RetryPolicy } from '@relay/common/keep-connected'

export interface LinkEvents {
  /** The chunk is the listener's own. */
  readonly onData: (chunk: Buffer) => void
  /** At most once, when the link is gone without having been closed by us. */
  readonly onClosed: (error: AppError) => void
}

/** An open way to an instrument. It is used once: after a fault a new one is opened. */
export interface Link {
  /** What was opened in the end: a port may have come back under another name. */
  readonly opened: string
  /** Resolves when the kernel has taken the bytes. One call at a time. */
  write(data: Buffer): Promise<void>
  /** What is wrong with a link that looks open; asked about once a second. */
  check(): Promise<AppError | undefined>
  /** Releases everything, soon; what the other end has not taken after a fault is thrown away. Never rejects. */
  close(): Promise<void>
}

/** How the links to one instrument are opened; remembers what one opening can learn from those before. */
export interface LinkSource {
  readonly retryPolicy: RetryPolicy
  /**
   * Ends soon after `signal` aborts, and then has nothing open but the link that it gives. `after` is the fault that
   * the link before ended with.
   */
  open(events: LinkEvents, signal: AbortSignal, after: AppError | undefined): Promise<Link>
  /** Calls `wake` once when opening may succeed now that it did not with `fault`; returns what ends this. */
  watch(wake: () => void, fault: AppError | undefined): () => void
  /** How long commands of so many bytes may take. */
  writeWithinMs(bytes: number): number
  /** How long an opening may take. */
  readonly openWithinMs: number
}
