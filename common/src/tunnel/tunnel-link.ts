/** How a link ended. */
export interface LinkEnd {
  /** Close code (see `closeCode`); 1006 where the link broke without one. */
  readonly code: number
  /** What the other side said, or what broke, in words for a log. */
  readonly reason: string
}

/** Who takes what comes over a link. Calls come one at a time; none comes after `linkClosed`. */
export interface LinkReceiver {
  /** A binary message, or on a tunnel link a part of one. The bytes belong to the receiver. */
  linkBytes(data: Buffer): void
  /** A text message of at most `MAX_CONTROL_BYTES` characters; longer ones end the link. */
  linkText(text: string): void
  /** The link was full (see `TunnelLink.isFull`) and takes more again. */
  linkDrained(): void
  /** Once. The link is gone, and what was sent over it may not have arrived. */
  linkClosed(end: LinkEnd): void
}

/**
 * An open websocket to the relay, as far as a session or a plain pump needs it. Sending after the end does nothing.
 */
export interface TunnelLink {
  /** The relay has selected `relay-tunnel.1`: control messages may be sent to it. */
  readonly isTunnel: boolean
  /** Who takes what comes; to be replaced at will, in the same turn, by whoever takes the link over. */
  receiver: LinkReceiver
  /** Bytes that this process still holds for it. */
  readonly bufferedBytes: number
  /**
   * It holds more than 1 MiB. Once this was read as true, `linkDrained` comes when no more than 256 KiB are left. Sending
   * goes on to be possible, so that control is never held up.
   */
  readonly isFull: boolean
  /** It holds nothing. Once this was read as false, `linkDrained` comes when it holds nothing. */
  readonly isIdle: boolean
  sendBytes(data: Buffer): void
  sendText(text: string): void
  /** Stops reading, for plain links only: on others the peer's window bounds what comes. */
  pause(): void
  resume(): void
  /** Sends what is buffered, then the close frame; cut off where that takes longer than 10 s. */
  close(code: number, reason?: string): void
  /** Resolves when it is gone. Where it was closed in order, the relay has all that was sent then. */
  readonly whenGone: Promise<void>
  /** Cuts it off. `linkClosed` comes soon after. */
  terminate(): void
}

/** Takes what still comes over a link that nobody wants any more. */
export const deaf: LinkReceiver = {
  linkBytes: () => undefined,
  linkText: () => undefined,
  linkDrained: () => undefined,
  linkClosed: () => undefined,
}
