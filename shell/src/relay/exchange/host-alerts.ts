import { randomUUID } from 'node:crypto'
import type { Cancel, Clock } from '@relay/common/clock'
import type { OneTimeCodes } from '@relay/common/one-time-codes'
import { connectMessage, disconnectMessage } from './control-messages.ts'
import type { Counters } from './counters.ts'
import type { ExchangeOptions } from './exchange-options.ts'
import type { HostDesk } from './host-desk.ts'
import type { Link } from './link.ts'
import type { DisconnectAction, Pair } from './pair.ts'
import type { Permission } from './permission.ts'

/** A host's data and control links are two TCP connections: this long the data has to arrive first (spec shell 8.3). */
const disconnectGraceMs = 300

export interface HostAlertsDeps {
  readonly options: Pick<ExchangeOptions, 'target'>
  readonly clock: Clock
  readonly codes: OneTimeCodes<Permission>
  readonly hosts: HostDesk
  readonly counters: Counters
  /** Something was said to this control link. */
  readonly onTold: (manager: Link) => void
}

/** Asks hosts to dial for a session, with an address that lets them in once, and tells them when it is over. */
export class HostAlerts {
  readonly #deps: HostAlertsDeps
  readonly #cancelLater = new Set<Cancel>()

  constructor(deps: HostAlertsDeps) {
    this.#deps = deps
  }

  /** Nothing is said late any more. */
  stop(): void {
    for (const cancel of this.#cancelLater) cancel()
    this.#cancelLater.clear()
  }

  alert(pair: Pair, manager: Link): void {
    const { options, clock, codes, counters, onTold } = this.#deps
    const { permission } = pair
    const { id, connectionId } = permission
    const { prefix } = manager.permission
    const path = `${id}/${connectionId}`
    const code = codes.add({
      ...permission,
      role: 'host',
      prefix,
      path,
      connectionId,
      managerNumber: manager.number,
    })
    const uri = `${options.target}/${prefix}/${path}?code=${code}`
    pair.codes.push(code)
    const uuid = randomUUID()
    pair.alerts.set(manager, { uri, uuid })
    counters.alerts += 1
    const facts = {
      uri,
      uuid,
      clientKind: pair.client?.kind ?? 'shell',
      fingerprint: permission.fingerprint,
    }
    const nowMs = clock.monotonicMs()
    manager.tell(connectMessage(manager.kind, facts), nowMs)
    manager.probe(nowMs)
    onTold(manager)
  }

  /** Of a host that was not alerted it says nothing. */
  disconnect(pair: Pair, { manager, isUsable, isAfterData }: DisconnectAction): void {
    const alert = pair.alerts.get(manager)
    if (alert === undefined) return
    const { clock, counters, hosts } = this.#deps
    const send = (): void => {
      // The same host may have dialled its control link anew since.
      const to = manager.isOpen ? manager : hosts.managersOf(pair.permission.id)[0]
      if (to === undefined || (to !== manager && to.kind !== manager.kind)) return
      counters.disconnects += 1
      to.tell(disconnectMessage(alert.uuid, isUsable ? alert.uri : ''), clock.monotonicMs())
    }
    if (isAfterData) this.#later(disconnectGraceMs, send)
    else send()
  }

  #later(delayMs: number, action: () => void): void {
    const cancel = this.#deps.clock.after(delayMs, () => {
      this.#cancelLater.delete(cancel)
      action()
    })
    this.#cancelLater.add(cancel)
  }
}
