/**
 * Why the address of a link that a relay told on the manager is not dialled; undefined where it is. A relay could make a
 * host dial anything that the host can reach, such as devices of its own network: so the address must be at the same
 * origin (scheme, host and port) as the manager, whose own address the access server gave. Every relay, old ones too,
 * makes both from one prefix (spec shell 1.2). Pure; never shows the address, which holds a code.
 */
export function linkAddressFlaw(uri: string, manager: string): string | undefined {
  const url = URL.parse(uri)
  const own = URL.parse(manager)
  if (url === null || !/^wss?:$/.test(url.protocol)) return 'it is no ws:// or wss:// address'
  if (url.username !== '' || url.password !== '') return 'it holds a user name or password'
  if (own === null || url.protocol !== own.protocol || url.host !== own.host)
    return 'it is not at the scheme, host and port of the relay itself'
  return undefined
}
