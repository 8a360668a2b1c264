import { isIP } from 'node:net'

/**
 * The host name of a Host header, when a page of ours may be served under it. Only addresses and the machine's own
 * names: under any other name a stranger's page could have itself resolved to this machine and read the tokens that
 * `/` gives out (DNS rebinding). Pure.
 */
export function allowedHost(header: string | undefined, machineName: string): string | undefined {
  const name = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::[0-9]{1,5})?$/.exec(header ?? '')?.[1]?.toLowerCase()
  if (name === undefined) return undefined
  const isAddress = isIP(name.replace(/^\[|\]$/g, '')) !== 0
  const machine = machineName.toLowerCase()
  return isAddress || name === 'localhost' || name === machine || name === `${machine}.local`
    ? name
    : undefined
}
