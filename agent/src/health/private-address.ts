import { BlockList, isIP } from 'node:net'

/** Networks that no route of the internet leads to: RFC 1918, 3927, 4193, 4291 and loopback. */
const privateNetworks = [
  ['10.0.0.0', 8, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
] as const

function makeList(): BlockList {
  const list = new BlockList()
  for (const [network, prefix, family] of privateNetworks) list.addSubnet(network, prefix, family)
  return list
}

const list = makeList()

/**
 * The address is one of a local network: private, link-local or loopback, IPv4 written as IPv6 included. Shared ones of
 * a provider (100.64.0.0/10) are not, nor what is no address at all.
 */
export function isPrivateAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  const family = isIP(plain)
  return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

/** Stands for every address of the machine. */
export function isEveryAddress(host: string): boolean {
  return host === '*' || host === '0.0.0.0' || host === '::'
}
