/** How much the local API takes and keeps; a program on the same machine may be broken or hostile too. */
export interface LocalLimits {
  readonly maxConnections: number
  /** Websockets and uploads have places of their own, so that the short requests always find one. */
  readonly maxClients: number
  readonly maxUploads: number
  readonly maxDestinations: number
  readonly maxStreams: number
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
  /** An answer that is not read within this time is cut. */
  readonly answerTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  /** Of one websocket client that does not read. */
  readonly maxBufferedBytes: number
  /** A longer upload without any sign of a frame's end is cut into messages of this size, between packets. */
  readonly maxUploadMessageBytes: number
  /** A frame whose end shows only in the next one is given out after a silence of this length. */
  readonly flushAfterMs: number
  readonly pingEveryMs: number
  readonly pongWithinMs: number
}

/** Pings, pongs and the size of messages as in the old host (spec session 7.5). */
export const defaultLimits: LocalLimits = {
  maxConnections: 256,
  maxClients: 128,
  maxUploads: 32,
  maxDestinations: 256,
  maxStreams: 256,
  maxBodyBytes: 256 * 1024,
  bodyTimeoutMs: 10_000,
  answerTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  keepAliveTimeoutMs: 30_000,
  maxBufferedBytes: 4 * 1024 * 1024,
  maxUploadMessageBytes: 1024 * 1024,
  flushAfterMs: 20,
  pingEveryMs: 54_000,
  pongWithinMs: 60_000,
}

/** The longest message a websocket may bring; a longer one closes it with 1009. */
export const maxMessageBytes = 10 * 1024 * 1024
