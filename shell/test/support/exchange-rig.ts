import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '@relay/common/clock'
import { silentLog } from '@relay/common/log'
import { OneTimeCodes } from '@relay/common/one-time-codes'
import { BookingLists } from '@relay/common/server/booking-lists'
import { ClientAddress } from '@relay/common/server/client-address'
import { WebsocketPort } from '@relay/common/server/websocket/websocket-port'
import type { ClientOptions } from 'ws'
import { admitLink, upgradeRefusals, websocketPrefixes } from '../../src/relay/exchange/admission.ts'
import { Exchange } from '../../src/relay/exchange/exchange.ts'
import type { ExchangeLimits, ExchangeOptions } from '../../src/relay/exchange/exchange-options.ts'
import { type LinkSocket, linkUpgrader } from '../../src/relay/exchange/link-socket.ts'
import type { Permission, Prefix, Role } from '../../src/relay/exchange/permission.ts'
import { WebsocketPeer } from './websocket-peer.ts'

export const usualLimits: ExchangeLimits = {
  maxConnections: 5000,
  maxSessionsPerId: 1000,
  maxSessionsPerAddress: 1000,
  maxHostsPerId: 4,
  maxWaitingPerId: 16,
  maxWaitingBytes: 268_435_456,
  maxUnfinishedBytes: 134_217_728,
}

export interface Joiner {
  readonly id?: string
  /** A program of ours, or an old one of this generation. */
  readonly kind?: 'tunnel' | Prefix
  readonly expiresInSec?: number
  readonly bookingId?: string
  readonly keyId?: string
  readonly options?: ClientOptions
}

export interface RigOptions extends Partial<Omit<ExchangeOptions, 'limits' | 'target'>> {
  readonly limits?: Partial<ExchangeLimits>
  readonly clock?: Clock
}

/** A session as the test holds it. */
export interface PairedEnds {
  readonly client: WebsocketPeer
  readonly host: WebsocketPeer
  readonly connect: Connect
}

export interface Connect {
  readonly action: string
  readonly uri: string
  readonly uuid: string
  readonly [other: string]: unknown
}

/** The exchange behind its websocket port, without the access API: the rig makes codes itself. */
export class ExchangeRig {
  readonly exchange: Exchange
  readonly codes: OneTimeCodes<Permission>
  readonly bookings: BookingLists
  readonly port: WebsocketPort<Permission, LinkSocket>
  readonly peers: WebsocketPeer[] = []
  readonly #address = { target: '' }

  private constructor({ clock = systemClock, limits = {}, ...options }: RigOptions) {
    this.codes = new OneTimeCodes<Permission>({ lifetimeMs: 45_000, maxCodes: 10_000 }, clock)
    this.bookings = new BookingLists({ maxEntries: 100 }, clock)
    const address = this.#address
    this.exchange = new Exchange(
      {
        pairTimes: { dialWithinMs: 15_000, codeLifetimeMs: 45_000, waitForHostMs: 120_000 },
        ...options,
        get target() {
          return address.target
        },
        limits: { ...usualLimits, ...limits },
      },
      { clock, log: silentLog(), codes: this.codes },
    )
    const deps = {
      clock,
      codes: this.codes,
      bookings: this.bookings,
      exchange: this.exchange,
      isKeyValid: () => true,
    }
    this.port = new WebsocketPort<Permission, LinkSocket>(
      {
        port: 0,
        host: '127.0.0.1',
        fd: undefined,
        maxConnections: 5000,
        prefixes: websocketPrefixes,
        refusals: upgradeRefusals,
      },
      {
        log: silentLog(),
        clientAddress: new ClientAddress([]),
        upgrader: linkUpgrader(),
        admit: (asked, peer) => admitLink(asked, peer, deps),
        join: (joining) => this.exchange.join(joining),
      },
    )
  }

  /** What every address begins with. */
  get target(): string {
    return this.#address.target
  }

  static async start(options: RigOptions = {}): Promise<ExchangeRig> {
    const rig = new ExchangeRig(options)
    rig.#address.target = `ws://127.0.0.1:${await rig.port.listen()}`
    rig.exchange.start()
    return rig
  }

  async stop(): Promise<void> {
    this.port.stopAccepting()
    await this.exchange.drain(0)
    this.exchange.stop()
    this.port.close()
    for (const peer of this.peers) peer.cut()
  }

  /** Where an end with this role may dial, once. */
  uri(role: Exclude<Role, 'host'>, joiner: Joiner = {}): string {
    const { id = 'pend00', kind = 'shell', expiresInSec = 600, bookingId = '', keyId } = joiner
    const prefix = kind === 'tunnel' ? 'shell' : kind
    const connectionId = randomUUID()
    const path = role === 'client' ? `${id}/${connectionId}` : id
    const code = this.codes.add({
      role,
      prefix,
      id,
      path,
      connectionId,
      scopes: [role === 'manager' ? 'host' : role],
      bookingId,
      keyId,
      fingerprint: '0123456789abcdef0123456789abcdef',
      notBeforeSec: undefined,
      expiresAtSec: Math.floor(Date.now() / 1000) + expiresInSec,
    })
    return `${this.target}/${prefix}/${path}?code=${code}`
  }

  async join(role: Exclude<Role, 'host'>, joiner: Joiner = {}): Promise<WebsocketPeer> {
    return await this.dial(this.uri(role, joiner), joiner)
  }

  async dial(uri: string, { kind = 'shell', options }: Joiner = {}): Promise<WebsocketPeer> {
    const peer = await WebsocketPeer.open(uri, { isOurs: kind === 'tunnel', ...options })
    this.peers.push(peer)
    return peer
  }

  /** A client joins, the manager is alerted, and its host dials. */
  async pair(manager: WebsocketPeer, client: Joiner = {}, host: Joiner = {}): Promise<PairedEnds> {
    const clientPeer = await this.join('client', client)
    const connect = (await manager.json()) as unknown as Connect
    const hostPeer = await this.dial(connect.uri, host)
    if (client.kind === 'tunnel') await clientPeer.text()
    if (host.kind === 'tunnel') await hostPeer.text()
    return { client: clientPeer, host: hostPeer, connect }
  }
}
