import { ConfigError } from '../errors.ts'

/** What a relay listens for; `FileDescriptorName=` of a socket unit is one of them. */
export const socketNames = ['access', 'relay', 'metrics'] as const
export type SocketName = (typeof socketNames)[number]

/** Descriptors of sockets that listen already. */
export type InheritedSockets = Readonly<Partial<Record<SocketName, number>>>

/** The first of them (sd_listen_fds(3)). */
const firstDescriptor = 3
/** More are a mistake, not a relay. */
const maxSockets = 16

/**
 * The sockets that systemd hands over to this process, by name; none where it hands over nothing. Pure.
 * @throws {ConfigError} `SOCKET_NAME_UNKNOWN`, `SOCKET_TWICE`, `SOCKETS_WRONG`: connections to it would wait for ever.
 */
export function inheritedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  ownPid: number,
): InheritedSockets {
  const { LISTEN_PID: pid, LISTEN_FDS: count = '', LISTEN_FDNAMES: names = '' } = environment
  if (pid !== String(ownPid)) return {}
  if (!/^\d{1,2}$/.test(count) || Number(count) > maxSockets)
    throw new ConfigError('SOCKETS_WRONG', `LISTEN_FDS is no number of sockets up to ${maxSockets}`)
  const nameByIndex = names.split(':')
  const sockets: Partial<Record<SocketName, number>> = {}
  for (let index = 0; index < Number(count); index++) {
    const name = nameByIndex[index] ?? ''
    if (!isSocketName(name)) throw unknownName(name)
    if (sockets[name] !== undefined) throw twice(name)
    sockets[name] = firstDescriptor + index
  }
  return sockets
}

function isSocketName(name: string): name is SocketName {
  return (socketNames as readonly string[]).includes(name)
}

function unknownName(name: string): ConfigError {
  return new ConfigError(
    'SOCKET_NAME_UNKNOWN',
    `systemd hands over a socket called "${name}"; let FileDescriptorName= of its unit be one of ${socketNames.join(', ')}`,
  )
}

function twice(name: string): ConfigError {
  return new ConfigError(
    'SOCKET_TWICE',
    `systemd hands over two sockets called "${name}"; give its unit one ListenStream= ([::]:port serves IPv4 as well)`,
  )
}
