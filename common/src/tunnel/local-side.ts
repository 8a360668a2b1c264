import type { AppError } from '../errors.ts'

/** What comes from a local connection (TCP to ssh or sshd, or stdin and stdout). */
export interface LocalEvents {
  /** Bytes were read. They belong to the receiver. */
  localBytes(data: Buffer): void
  /** Its sending side has ended (half-close): no more bytes come. */
  localEnded(): void
  /** So many of the bytes that were written to it have been taken by the system. */
  localTook(bytes: number): void
  /** All that was written has been taken, and the end after it. */
  localTookEnd(): void
  /** It broke; once, and nothing comes after it. Not when both directions had ended. */
  localBroke(error: AppError): void
}

/** A local connection, as far as a session or a plain pump needs it. `LocalEnd` is the real one. */
export interface LocalSide {
  /** Reading starts paused. */
  pause(): void
  resume(): void
  /** Bytes not taken yet; the caller bounds them. */
  readonly bufferedBytes: number
  write(data: Buffer): void
  /** Half-close after what was written; what it sends is still read. */
  end(): void
  /** Breaks it at once (TCP: RST). No event comes afterwards. */
  reset(): void
}
