/** Why a message did not reach a reader that was on the topic. */
export const dropReasons = ['slow', 'closed'] as const
export type DropReason = (typeof dropReasons)[number]

/**
 * Sums over all connections since the start. Invariant: offered = delivered + dropped + queued, in messages and in
 * bytes, at every moment.
 */
export interface DeliveryTotals {
  /** Messages that came in from senders who may write, and their payload. */
  publishedMessages: number
  publishedBytes: number
  /** Each published message counts once for each reader it is meant for. */
  offeredMessages: number
  offeredBytes: number
  deliveredMessages: number
  deliveredBytes: number
  droppedMessages: Record<DropReason, number>
  droppedBytes: Record<DropReason, number>
  /** Waiting behind full sockets. */
  queuedMessages: number
  queuedBytes: number
  /** Messages of read-only senders, which nobody hears. */
  ignoredMessages: number
}

/** All zero. */
export function newDeliveryTotals(): DeliveryTotals {
  return {
    publishedMessages: 0,
    publishedBytes: 0,
    offeredMessages: 0,
    offeredBytes: 0,
    deliveredMessages: 0,
    deliveredBytes: 0,
    droppedMessages: { slow: 0, closed: 0 },
    droppedBytes: { slow: 0, closed: 0 },
    queuedMessages: 0,
    queuedBytes: 0,
    ignoredMessages: 0,
  }
}
