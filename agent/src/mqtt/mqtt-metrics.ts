import type { MqttInstrumentStatus } from './mqtt-instrument.ts'

interface MqttMetric {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly value: (status: MqttInstrumentStatus) => number
}

/** What Prometheus gets of each instrument behind a broker; the label is `instrument`. */
export const mqttMetrics: readonly MqttMetric[] = [
  {
    name: 'agent_mqtt_live',
    help: '1 while an instrument is connected to its broker',
    kind: 'gauge',
    value: ({ state }) => (state === 'live' ? 1 : 0),
  },
  {
    name: 'agent_mqtt_connects_total',
    help: 'how often a broker was connected',
    kind: 'counter',
    value: ({ connects }) => connects,
  },
  {
    name: 'agent_mqtt_received_messages_total',
    help: 'messages of a broker that the feed got',
    kind: 'counter',
    value: ({ receivedMessages }) => receivedMessages,
  },
  {
    name: 'agent_mqtt_dropped_messages_total',
    help: 'messages of a broker that were too many, too long or not what their template needs',
    kind: 'counter',
    value: ({ droppedMessages }) => droppedMessages,
  },
  {
    name: 'agent_mqtt_published_messages_total',
    help: 'commands that a broker got',
    kind: 'counter',
    value: ({ publishedMessages }) => publishedMessages,
  },
  {
    name: 'agent_mqtt_refused_commands_total',
    help: 'commands that fit no publication, or that the broker refused',
    kind: 'counter',
    value: ({ refusedCommands }) => refusedCommands,
  },
  {
    name: 'agent_mqtt_dropped_commands_total',
    help: 'commands that found no connection or no room, or were too old',
    kind: 'counter',
    value: ({ droppedCommands }) => droppedCommands,
  },
  {
    name: 'agent_mqtt_kept_bytes',
    help: 'bytes of the last messages that are kept for those who join late',
    kind: 'gauge',
    value: ({ keptBytes }) => keptBytes,
  },
]
