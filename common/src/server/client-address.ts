import { BlockList, isIP, isIPv6 } from 'node:net'

/** Says where requests really come from when reverse proxies stand before the relay. */
export class ClientAddress {
  readonly #trusted = new BlockList()

  /**
   * @param trusted addresses or networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` is believed; loopback is
   * always one of them. Each must have passed `isAddressOrNetwork`.
   */
  constructor(trusted: readonly string[]) {
    for (const entry of ['127.0.0.0/8', '::1', ...trusted]) {
      const [address = '', bits] = entry.split('/')
      const family = isIPv6(address) ? 'ipv6' : 'ipv4'
      if (bits === undefined) this.#trusted.addAddress(address, family)
      else this.#trusted.addSubnet(address, Number(bits), family)
    }
  }

  isTrusted(address: string): boolean {
    const plain = plainAddress(address)
    const family = isIP(plain)
    return family !== 0 && this.#trusted.check(plain, family === 6 ? 'ipv6' : 'ipv4')
  }

  /**
   * The address of the client: the last one in `X-Forwarded-For` that is no proxy of ours, with or without a port. The
   * peer's own where there is none, or where what one of our proxies wrote is no address: what stands further left was
   * written by somebody who is not trusted.
   */
  of(peerAddress: string, forwardedFor: string): string {
    const peer = plainAddress(peerAddress)
    if (forwardedFor === '' || !this.isTrusted(peer)) return peer
    const hops = forwardedFor.split(',').map((hop) => plainAddress(withoutPort(hop.trim())))
    const client = hops.findLast((hop) => !this.isTrusted(hop)) ?? ''
    return isIP(client) === 0 ? peer : client
  }

  /** What old programs report as the remote address: the header as it came, '' where it is absent or not believed. */
  reported(peerAddress: string, forwardedFor: string): string {
    return this.isTrusted(peerAddress) ? forwardedFor : ''
  }
}

/** Whether a setting is an IP address or a network in CIDR form. Pure. */
export function isAddressOrNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32))
}

/** Whom a limit by address counts together: an IPv4 address, or the /64 that a household or campus net gets. Pure. */
export function limitKey(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  const groups = [...front, ...Array.from({ length: missing }, () => '0'), ...back]
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** `192.0.2.7:51234`, `[2001:db8::1]` and `[2001:db8::1]:443` name an address too. */
function withoutPort(hop: string): string {
  const [, bracketed, v4] = /^(?:\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(hop) ?? []
  return bracketed ?? v4 ?? hop
}

function plainAddress(address: string): string {
  return address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
