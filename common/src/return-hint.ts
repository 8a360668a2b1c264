/**
 * What a relay of ours tells hosts of ours so that a fleet which lost its relay does not come back in one moment: in
 * pings, over how long all of them shall spread when the link breaks without a word, and in the reason of a close,
 * when this one shall come back. Both are legal for any peer (RFC 6455 5.5.1 and 5.5.2) and mean nothing to others.
 */
const spreadPrefix = 'return-within-ms='
const afterPattern = /; return-after-ms=(\d{1,9})$/
/** A relay can keep us away for no longer than this, so that a wrong one cannot switch a fleet off. */
export const longestReturnMs = 120_000

/** How a host that understands these hints calls itself in `User-Agent`. */
export const hostUserAgent = 'relay-agent'

/** The payload of a ping that tells the spread. */
export function spreadPayload(spreadMs: number): Buffer {
  return Buffer.from(`${spreadPrefix}${Math.round(spreadMs)}`, 'latin1')
}

/** The spread that a ping tells, in milliseconds, at most two minutes; undefined for every other payload. */
export function readSpread(payload: Buffer): number | undefined {
  // Decoded only as far as it can be one: a ping of up to 125 bytes may hold anything.
  const text = payload.toString('latin1', 0, spreadPrefix.length + 9)
  if (!text.startsWith(spreadPrefix)) return undefined
  const digits = text.slice(spreadPrefix.length)
  return /^\d+$/.test(digits) ? Math.min(longestReturnMs, Number(digits)) : undefined
}

/** A reason of a close that also tells when to come back. */
export function reasonWithReturn(reason: string, afterMs: number): string {
  return `${reason}; return-after-ms=${Math.round(afterMs)}`
}

/** When the reason of a close tells to come back, in milliseconds from now, at most two minutes; else undefined. */
export function readReturn(reason: string): number | undefined {
  const digits = afterPattern.exec(reason)?.[1]
  return digits === undefined ? undefined : Math.min(longestReturnMs, Number(digits))
}
