/** What a relay tells a host on its manager (spec shell 5.2, and PROTOCOL.md for what is ours). */
export type ManagerMessage =
  | {
      readonly kind: 'connect'
      /** Of this client; its disconnect has the same. */
      readonly uuid: string
      /** Where the link of this client is to be dialled; not checked yet. Holds a one-time code. */
      readonly uri: string
      /** Undefined: an old relay, which does not know. */
      readonly peer: 'tunnel' | 'plain' | undefined
      /** Fingerprint of the client's token; undefined from an old relay. */
      readonly token: string | undefined
    }
  | { readonly kind: 'disconnect'; readonly uuid: string }
  /** A newer host has taken the id. */
  | { readonly kind: 'standby' }
  | { readonly kind: 'active' }

/** PROTOCOL.md; an old relay's longest is that of a topic, some hundred bytes. */
const maxMessageBytes = 16_384
const maxUuidLength = 128

/**
 * The message in what a relay sent; undefined for all that is to be ignored: no JSON, no object, an action that nobody
 * knows, a `connect` without address or `uuid`. A `disconnect` counts with any `uri`, or none: old relays send an empty
 * one. Pure.
 */
export function parseManagerMessage(data: Buffer): ManagerMessage | undefined {
  const fields = parseObject(data)
  if (fields === undefined) return undefined
  const { action, uuid, uri, peer, token } = fields
  switch (action) {
    case 'standby':
    case 'active':
      return { kind: action }
    case 'disconnect':
      return isUuid(uuid) ? { kind: 'disconnect', uuid } : undefined
    case 'connect':
      if (!isUuid(uuid) || typeof uri !== 'string' || uri === '') return undefined
      return {
        kind: 'connect',
        uuid,
        uri,
        peer: peer === 'tunnel' || peer === 'plain' ? peer : undefined,
        token: typeof token === 'string' && /^[0-9a-f]{32}$/.test(token) ? token : undefined,
      }
    default:
      return undefined
  }
}

function parseObject(data: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (data.length > maxMessageBytes) return undefined
  try {
    const value: unknown = JSON.parse(data.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

/** Old relays take a UUID; nobody has to, as it is only compared. */
function isUuid(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxUuidLength
}
