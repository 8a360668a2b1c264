import { addCounter, addGauge, addLabelledCounter } from '@relay/common/server/metric-sums'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Exchange } from './exchange/exchange.ts'

/** Refusals of one of the two servers since the start, by reason. */
type RefusedByReason = Readonly<Record<string, number>>

export interface MetricsSources {
  readonly exchange: Exchange
  readonly relayServer: { readonly refused: RefusedByReason }
  readonly accessServer: { readonly refused: RefusedByReason; readonly granted: number }
  readonly codes: { readonly size: number; readonly evicted: number }
  readonly keys: () => { readonly secrets: number; readonly publicKeys: number }
}

/** Kinds of topic, by the field's naming convention; the names themselves would be too many. */
export function topicClass(topic: string): 'video' | 'data' | 'stats' | 'other' {
  if (topic.endsWith('-video')) return 'video'
  if (topic.endsWith('-data')) return 'data'
  return topic === 'stats' ? 'stats' : 'other'
}

/** All metrics of the relay. The sums are counted elsewhere and only copied when somebody asks. */
export function relayMetrics(sources: MetricsSources): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'relay_' })
  addTraffic(registry, sources)
  addConnections(registry, sources)
  addAccess(registry, sources)
  return registry
}

function addTraffic(registry: Registry, { exchange }: MetricsSources): void {
  const { totals } = exchange
  addCounter(registry, {
    name: 'relay_received_messages_total',
    help: 'messages from senders that may write',
    value: () => totals.publishedMessages,
  })
  addCounter(registry, {
    name: 'relay_received_bytes_total',
    help: 'payload of these messages',
    value: () => totals.publishedBytes,
  })
  addCounter(registry, {
    name: 'relay_ignored_messages_total',
    help: 'messages from read-only senders',
    value: () => totals.ignoredMessages,
  })
  addCounter(registry, {
    name: 'relay_offered_messages_total',
    help: 'messages times readers: delivered, dropped and queued together',
    value: () => totals.offeredMessages,
  })
  addCounter(registry, {
    name: 'relay_delivered_messages_total',
    help: 'messages handed to the sockets of readers',
    value: () => totals.deliveredMessages,
  })
  addCounter(registry, {
    name: 'relay_delivered_bytes_total',
    help: 'payload of these messages',
    value: () => totals.deliveredBytes,
  })
  addLabelledCounter(registry, {
    name: 'relay_dropped_messages_total',
    help: 'messages that a reader lost, by reason',
    label: 'reason',
    values: () => totals.droppedMessages,
  })
  addLabelledCounter(registry, {
    name: 'relay_dropped_bytes_total',
    help: 'payload of these messages',
    label: 'reason',
    values: () => totals.droppedBytes,
  })
  addGauge(registry, {
    name: 'relay_queued_bytes',
    help: 'payload that waits behind full sockets',
    value: () => totals.queuedBytes,
  })
  addGauge(registry, {
    name: 'relay_retained_bytes',
    help: 'memory that slow readers keep, shared messages once',
    value: () => exchange.retained.bytes,
  })
}

function addConnections(registry: Registry, { exchange, relayServer }: MetricsSources): void {
  const connections = new Gauge({
    name: 'relay_connections',
    help: 'open websockets, by kind of topic',
    labelNames: ['topic_class'],
    registers: [registry],
    collect(): void {
      const counts = { video: 0, data: 0, stats: 0, other: 0 }
      for (const connection of exchange.connections) counts[topicClass(connection.permission.topic)] += 1
      for (const [kind, count] of Object.entries(counts)) connections.set({ topic_class: kind }, count)
    },
  })
  addGauge(registry, {
    name: 'relay_topics',
    help: 'topics with at least one reader',
    value: () => exchange.topicCount,
  })
  addLabelledCounter(registry, {
    name: 'relay_closed_connections_total',
    help: 'ended websockets, by cause',
    label: 'cause',
    values: () => exchange.closed,
  })
  addLabelledCounter(registry, {
    name: 'relay_refused_upgrades_total',
    help: 'refused websockets, by reason',
    label: 'reason',
    values: () => relayServer.refused,
  })
}

function addAccess(registry: Registry, { accessServer, codes, keys }: MetricsSources): void {
  addCounter(registry, {
    name: 'relay_granted_codes_total',
    help: 'one-time addresses given out',
    value: () => accessServer.granted,
  })
  addCounter(registry, {
    name: 'relay_evicted_codes_total',
    help: 'unused codes that gave way to newer ones',
    value: () => codes.evicted,
  })
  addGauge(registry, { name: 'relay_codes', help: 'codes that wait to be used', value: () => codes.size })
  addLabelledCounter(registry, {
    name: 'relay_refused_requests_total',
    help: 'refused requests of the access API, by reason',
    label: 'reason',
    values: () => accessServer.refused,
  })
  addGauge(registry, {
    name: 'relay_secrets',
    help: 'shared secrets that are valid',
    value: () => keys().secrets,
  })
  addGauge(registry, {
    name: 'relay_public_keys',
    help: 'public keys that are valid',
    value: () => keys().publicKeys,
  })
}
