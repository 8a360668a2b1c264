/**
 * What a relay of ours tells hosts of ours in pings: how many others hear the topic. Legal for any peer (RFC 6455 5.5.2)
 * and without meaning to others.
 */
const prefix = 'viewers='
const maxDigits = 9

/** The payload of a ping that tells how many there are. */
export function viewersPayload(count: number): Buffer {
  return Buffer.from(`${prefix}${count}`, 'latin1')
}

/** The number that a ping tells; undefined for every other payload. */
export function readViewers(payload: Buffer): number | undefined {
  if (payload.length > prefix.length + maxDigits) return undefined
  const text = payload.toString('latin1')
  const digits = text.slice(prefix.length)
  return text.startsWith(prefix) && /^\d+$/.test(digits) ? Number(digits) : undefined
}
