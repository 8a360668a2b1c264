import { EchoingSocket, Upgrader } from '@relay/common/server/websocket/upgrader'
import type { Connection } from './connection.ts'

/** Largest message of a client: 10 MiB, exactly (spec session 6.2). */
export const maxMessageBytes = 10_485_760

/** The websocket of a connection. */
export class RelaySocket extends EchoingSocket {
  /** Whose socket it is: kept here so that all sockets share their listeners. */
  connection: Connection | undefined
}

/** Upgrades to such websockets; the protocol `null` is selected where it is offered (spec session 6.1). */
export function relayUpgrader(): Upgrader<RelaySocket> {
  return new Upgrader({ socketClass: RelaySocket, maxMessageBytes, protocols: ['null'] })
}
