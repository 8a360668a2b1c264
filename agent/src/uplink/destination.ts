import { AppError } from '@relay/common/errors'

/** Where an uplink goes (spec session 7.2): to an access API that gives the address, or straight to a websocket. */
export type Destination =
  | { readonly kind: 'access'; readonly url: string }
  | { readonly kind: 'direct'; readonly url: string }

/** The address is of no use, now and later. */
export class DestinationError extends AppError {
  override readonly permanent = true
  constructor(message: string) {
    super('DESTINATION_WRONG', message)
  }
}

/** The destination of a rule: with a token it is an http address, without one a websocket address. */
export function parseDestination(url: string, { hasToken }: { readonly hasToken: boolean }): Destination {
  const parsed = parseUrl(url, 'the destination')
  const protocols = hasToken ? ['http:', 'https:'] : ['ws:', 'wss:']
  if (!protocols.includes(parsed.protocol)) {
    throw new DestinationError(
      hasToken
        ? `with a token the destination must begin with https:// or http://, not ${parsed.protocol}//`
        : `without a token the destination must begin with wss:// or ws://, not ${parsed.protocol}//`,
    )
  }
  return { kind: hasToken ? 'access' : 'direct', url }
}

/** The access address of one topic: one path segment, escaped (spec session 3.4). */
export function topicUrl(access: string, topic: string): string {
  return `${access.replace(/\/+$/, '')}/session/${encodeURIComponent(topic)}`
}

/**
 * One spelling for all that mean the same: host in lower case, no default port, no empty query, no slash at the end. What
 * is no address comes back as it is. May hold a secret: not for logs.
 */
export function canonicalAddress(url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, host, pathname, search } = new URL(url)
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}${search}`
}

/** The address without query, user and password, for logs. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return '(not an address)'
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

function parseUrl(url: string, what: string): URL {
  if (!URL.canParse(url))
    throw new DestinationError(`${what} is not a complete address such as https://host/path`)
  const parsed = new URL(url)
  if (parsed.username !== '' || parsed.password !== '') {
    throw new DestinationError(`${what} holds a user name or password; only a token lets in`)
  }
  return parsed
}
