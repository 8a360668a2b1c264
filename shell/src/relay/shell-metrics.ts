import { addCounter, addGauge, addLabelledCounter, addLabelledGauge } from '@relay/common/server/metric-sums'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Exchange } from './exchange/exchange.ts'
import type { PairPhase } from './exchange/pair-state.ts'

export interface ShellMetricsSources {
  readonly exchange: Exchange
  /** The websocket port. */
  readonly port: { readonly refused: Readonly<Record<string, number>> }
  readonly access: { readonly granted: number; readonly refused: Readonly<Record<string, number>> }
  readonly codes: { readonly size: number; readonly evicted: number }
  readonly keys: () => { readonly secrets: number; readonly publicKeys: number }
}

/** All metrics of the shell relay. The sums are counted elsewhere and only copied when somebody asks. */
export function shellMetrics(sources: ShellMetricsSources): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'shell_relay_' })
  addSessions(registry, sources)
  addTraffic(registry, sources)
  addLinks(registry, sources)
  addAccess(registry, sources)
  return registry
}

function addSessions(registry: Registry, { exchange }: ShellMetricsSources): void {
  const { counters } = exchange
  addLabelledGauge(registry, {
    name: 'shell_relay_sessions',
    help: 'sessions at this moment, by where they stand',
    label: 'phase',
    values: () => countPhases(exchange),
  })
  addGauge(registry, {
    name: 'shell_relay_hosts',
    help: 'ids with a host connected',
    value: () => exchange.hosts.onlineIds,
  })
  addCounter(registry, {
    name: 'shell_relay_sessions_total',
    help: 'clients taken in',
    value: () => counters.sessions,
  })
  addCounter(registry, {
    name: 'shell_relay_paired_total',
    help: 'clients whose host came',
    value: () => counters.paired,
  })
  addCounter(registry, {
    name: 'shell_relay_alerts_total',
    help: 'hosts asked to dial; more than sessions where one did not',
    value: () => counters.alerts,
  })
  addCounter(registry, {
    name: 'shell_relay_disconnects_total',
    help: 'hosts told that a client has gone',
    value: () => counters.disconnects,
  })
  addCounter(registry, {
    name: 'shell_relay_hosts_total',
    help: 'control links of hosts taken in',
    value: () => counters.managers,
  })
}

function addTraffic(registry: Registry, { exchange }: ShellMetricsSources): void {
  const { counters, totals } = exchange
  addLabelledCounter(registry, {
    name: 'shell_relay_bytes_total',
    help: 'payload taken in for the other end, by who receives it',
    label: 'to',
    values: () => exchange.traffic(),
  })
  addGauge(registry, {
    name: 'shell_relay_waiting_bytes',
    help: 'memory of what waits behind full sockets and for hosts that have not dialled',
    value: () => totals.waitingBytes,
  })
  addCounter(registry, {
    name: 'shell_relay_dropped_bytes_total',
    help: 'what waited for an end that went',
    value: () => totals.droppedBytes,
  })
  addCounter(registry, {
    name: 'shell_relay_discarded_bytes_total',
    help: 'what came from an end whose other end had gone',
    value: () => counters.discardedBytes,
  })
  addCounter(registry, {
    name: 'shell_relay_ignored_texts_total',
    help: 'control messages of ends of ours that had no end of ours to go to',
    value: () => counters.ignoredTexts,
  })
  addCounter(registry, {
    name: 'shell_relay_pauses_total',
    help: 'how often an end was not read because the other took too little',
    value: () => counters.pauses,
  })
  addCounter(registry, {
    name: 'shell_relay_memory_drops_total',
    help: 'sessions ended because all together kept too much',
    value: () => counters.memoryDrops,
  })
}

function addLinks(registry: Registry, { exchange, port }: ShellMetricsSources): void {
  const { counters } = exchange
  addGauge(registry, {
    name: 'shell_relay_connections',
    help: 'open websockets, those that are closing included',
    value: () => exchange.links.size,
  })
  addLabelledCounter(registry, {
    name: 'shell_relay_closed_connections_total',
    help: 'websockets ended by the relay, by cause',
    label: 'cause',
    values: () => counters.closed,
  })
  addLabelledCounter(registry, {
    name: 'shell_relay_given_up_connections_total',
    help: 'websockets given up, by what was wrong with them',
    label: 'fault',
    values: () => counters.faults,
  })
  addLabelledCounter(registry, {
    name: 'shell_relay_refused_upgrades_total',
    help: 'refused websockets, by reason',
    label: 'reason',
    values: () => port.refused,
  })
}

function addAccess(registry: Registry, { access, codes, keys }: ShellMetricsSources): void {
  addCounter(registry, {
    name: 'shell_relay_granted_codes_total',
    help: 'one-time addresses given out',
    value: () => access.granted,
  })
  addCounter(registry, {
    name: 'shell_relay_evicted_codes_total',
    help: 'unused codes that gave way to newer ones',
    value: () => codes.evicted,
  })
  addGauge(registry, {
    name: 'shell_relay_codes',
    help: 'codes that wait to be used',
    value: () => codes.size,
  })
  addLabelledCounter(registry, {
    name: 'shell_relay_refused_requests_total',
    help: 'refused requests of the access API, by reason',
    label: 'reason',
    values: () => access.refused,
  })
  addGauge(registry, {
    name: 'shell_relay_secrets',
    help: 'shared secrets that are valid',
    value: () => keys().secrets,
  })
  addGauge(registry, {
    name: 'shell_relay_public_keys',
    help: 'public keys that are valid',
    value: () => keys().publicKeys,
  })
}

function countPhases(exchange: Exchange): Readonly<Record<PairPhase, number>> {
  const counts = {
    waiting: 0,
    alerted: 0,
    paired: 0,
    'closing-host': 0,
    'closing-client': 0,
    parked: 0,
    over: 0,
  }
  for (const { phase } of exchange.pairs.all()) counts[phase] += 1
  return counts
}
