import type { LinkParts } from './parameters/stream-parameters.ts'

/** What `history.state` holds for a reload; the address bar holds nothing any more. */
interface KeptLink {
  readonly labLink: { readonly hash: string; readonly search: string }
}

/**
 * Takes what the booking page handed over out of the address bar, so that tokens are not seen over a shoulder, copied
 * with the address, kept in the browser's history list or sent as a referrer. It is kept with this entry of the tab's
 * history, so that a reload shows the experiment again.
 */
export function takeLinkParts(): LinkParts {
  const { hash, search, pathname, protocol } = location
  const isHandedOver = hasStreams(hash.slice(1)) || hasStreams(search)
  const kept = isHandedOver ? { hash, search } : keptLink(history.state)
  if (isHandedOver) {
    const state: KeptLink = { labLink: { hash, search } }
    history.replaceState(state, '', pathname)
  }
  return { hash: kept?.hash ?? hash, search: kept?.search ?? search, protocol }
}

/** Calls `onLink` when somebody opens another experiment's link in the same tab: browsers do not reload the page then. */
export function watchForNewLink(onLink: (parts: LinkParts) => void): void {
  addEventListener('hashchange', () => {
    if (hasStreams(location.hash.slice(1))) onLink(takeLinkParts())
  })
}

function hasStreams(parameters: string): boolean {
  return new URLSearchParams(parameters).has('streams')
}

function keptLink(state: unknown): KeptLink['labLink'] | undefined {
  if (typeof state !== 'object' || state === null || !('labLink' in state)) return undefined
  const link = state.labLink as Partial<KeptLink['labLink']> | null
  return typeof link?.hash === 'string' && typeof link.search === 'string'
    ? { hash: link.hash, search: link.search }
    : undefined
}
