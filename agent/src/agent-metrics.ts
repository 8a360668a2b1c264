import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { AgentStatus } from './agent-status.ts'
import type { StatusReport } from './health/status-report.ts'
import type { MqttInstrumentStatus } from './mqtt/mqtt-instrument.ts'
import { mqttMetrics } from './mqtt/mqtt-metrics.ts'
import { shellMetrics } from './shell-host/shell-metrics.ts'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

interface Metric {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly samples: (status: StatusReport) => readonly Sample[]
}

const ofCameras =
  (value: (camera: AgentStatus['cameras'][number]) => number) =>
  ({ cameras }: AgentStatus): readonly Sample[] =>
    cameras.map((camera) => [{ camera: camera.name }, value(camera)])

const ofInstruments =
  (value: (instrument: AgentStatus['instruments'][number]) => number) =>
  ({ instruments }: AgentStatus): readonly Sample[] =>
    instruments.map((instrument) => [{ instrument: instrument.name }, value(instrument)])

const ofMqtt =
  (value: (instrument: MqttInstrumentStatus) => number) =>
  ({ mqttInstruments = [] }: AgentStatus): readonly Sample[] =>
    mqttInstruments.map((instrument) => [{ instrument: instrument.name }, value(instrument)])

const ofUplinks =
  (value: (uplink: AgentStatus['uplinks'][number]) => number) =>
  ({ uplinks }: AgentStatus): readonly Sample[] =>
    uplinks.map((uplink) => [{ uplink: uplink.id, feed: uplink.feed }, value(uplink)])

const ofVerdict =
  (question: keyof StatusReport['health']) =>
  ({ health }: StatusReport): readonly Sample[] => [[{}, health[question].ok ? 1 : 0]]

const metrics: readonly Metric[] = [
  {
    name: 'agent_info',
    help: '1; its version stands in the label',
    kind: 'gauge',
    labels: ['version'],
    samples: ({ version }) => [[{ version }, 1]],
  },
  {
    name: 'agent_live',
    help: '1 while no part of the agent is stuck',
    kind: 'gauge',
    labels: [],
    samples: ofVerdict('live'),
  },
  {
    name: 'agent_ready',
    help: '1 while every part is started and each camera and instrument works',
    kind: 'gauge',
    labels: [],
    samples: ofVerdict('ready'),
  },
  {
    name: 'agent_linked',
    help: '1 while every uplink is connected',
    kind: 'gauge',
    labels: [],
    samples: ofVerdict('linked'),
  },
  {
    name: 'agent_stuck_parts',
    help: 'parts that broke their promise to the watchdog',
    kind: 'gauge',
    labels: [],
    samples: ({ stuck }) => [[{}, stuck.length]],
  },
  {
    name: 'agent_part_quiet_seconds',
    help: 'for how long a part has brought nothing more: no frame, no message',
    kind: 'gauge',
    labels: ['part'],
    samples: ({ activity }) =>
      activity.flatMap(({ part, quietMs }): Sample[] =>
        quietMs === undefined ? [] : [[{ part }, quietMs / 1000]],
      ),
  },
  {
    name: 'agent_camera_live',
    help: '1 while a camera gives pictures',
    kind: 'gauge',
    labels: ['camera'],
    samples: ofCameras(({ state }) => (state === 'live' ? 1 : 0)),
  },
  {
    name: 'agent_camera_frames_total',
    help: 'video frames of a camera',
    kind: 'counter',
    labels: ['camera'],
    samples: ofCameras(({ frames }) => frames),
  },
  {
    name: 'agent_camera_bytes_total',
    help: 'bytes of video of a camera',
    kind: 'counter',
    labels: ['camera'],
    samples: ofCameras(({ bytes }) => bytes),
  },
  {
    name: 'agent_camera_restarts_total',
    help: 'how often the encoder of a camera had to be started again',
    kind: 'counter',
    labels: ['camera'],
    samples: ofCameras(({ restarts }) => restarts),
  },
  {
    name: 'agent_camera_picture_lost',
    help: '1 while the picture of a camera is frozen, or black',
    kind: 'gauge',
    labels: ['camera', 'how'],
    samples: ({ cameras }) =>
      cameras.flatMap(({ name: camera, picture }): Sample[] =>
        picture === undefined
          ? []
          : (['frozen', 'black'] as const).map((how) => [{ camera, how }, picture.state === how ? 1 : 0]),
      ),
  },
  {
    name: 'agent_camera_picture_losses_total',
    help: 'how often the picture of a camera became frozen, or black',
    kind: 'counter',
    labels: ['camera', 'how'],
    samples: ({ cameras }) =>
      cameras.flatMap(({ name: camera, picture }): Sample[] =>
        picture === undefined
          ? []
          : [
              [{ camera, how: 'frozen' }, picture.frozenTimes],
              [{ camera, how: 'black' }, picture.blackTimes],
            ],
      ),
  },
  {
    name: 'agent_camera_audio_live',
    help: '1 while the sound of a camera goes with its picture',
    kind: 'gauge',
    labels: ['camera'],
    samples: ({ cameras }) =>
      cameras.flatMap(({ name: camera, audio }): Sample[] =>
        audio === undefined ? [] : [[{ camera }, audio.state === 'live' ? 1 : 0]],
      ),
  },
  {
    name: 'agent_camera_resets_total',
    help: 'how often a camera was reset on the USB, or its port switched off and on',
    kind: 'counter',
    labels: ['camera', 'step'],
    samples: ({ cameras }) =>
      cameras.flatMap(({ name: camera, recovery }): Sample[] =>
        recovery === undefined
          ? []
          : [
              [{ camera, step: 'usb-reset' }, recovery.usbResets],
              [{ camera, step: 'port-power' }, recovery.powerCycles],
            ],
      ),
  },
  {
    name: 'agent_instrument_open',
    help: '1 while the serial port of an instrument is open',
    kind: 'gauge',
    labels: ['instrument'],
    samples: ofInstruments(({ state }) => (state === 'open' ? 1 : 0)),
  },
  {
    name: 'agent_instrument_received_messages_total',
    help: 'messages of an instrument',
    kind: 'counter',
    labels: ['instrument'],
    samples: ofInstruments(({ receivedMessages }) => receivedMessages),
  },
  {
    name: 'agent_instrument_written_messages_total',
    help: 'commands that an instrument got',
    kind: 'counter',
    labels: ['instrument'],
    samples: ofInstruments(({ writtenMessages }) => writtenMessages),
  },
  {
    name: 'agent_instrument_dropped_commands_total',
    help: 'commands that an instrument did not get',
    kind: 'counter',
    labels: ['instrument'],
    samples: ofInstruments(({ droppedCommands }) => droppedCommands),
  },
  {
    name: 'agent_instrument_reopens_total',
    help: 'how often the serial port of an instrument had to be opened again',
    kind: 'counter',
    labels: ['instrument'],
    samples: ofInstruments(({ reopens }) => reopens),
  },
  {
    name: 'agent_instrument_garbage_bytes_total',
    help: 'bytes of lines that are no text: many mean a wrong baud rate',
    kind: 'counter',
    labels: ['instrument'],
    samples: ofInstruments(({ garbageBytes }) => garbageBytes),
  },
  {
    name: 'agent_instrument_last_byte_age_seconds',
    help: 'how long ago an instrument said something',
    kind: 'gauge',
    labels: ['instrument'],
    samples: ({ instruments }) =>
      instruments.flatMap(({ name, lastByteAgeMs }): Sample[] =>
        lastByteAgeMs === undefined ? [] : [[{ instrument: name }, lastByteAgeMs / 1000]],
      ),
  },
  ...mqttMetrics.map(
    ({ name, help, kind, value }): Metric => ({
      name,
      help,
      kind,
      labels: ['instrument'],
      samples: ofMqtt(value),
    }),
  ),
  {
    name: 'agent_uplink_live',
    help: '1 while an uplink is connected',
    kind: 'gauge',
    labels: ['uplink', 'feed'],
    samples: ofUplinks(({ state }) => (state.kind === 'live' ? 1 : 0)),
  },
  {
    name: 'agent_uplink_connects_total',
    help: 'how often an uplink was connected',
    kind: 'counter',
    labels: ['uplink', 'feed'],
    samples: ofUplinks(({ connects }) => connects),
  },
  {
    name: 'agent_uplink_sent_bytes_total',
    help: 'bytes sent by an uplink',
    kind: 'counter',
    labels: ['uplink', 'feed'],
    samples: ofUplinks(({ sentBytes }) => sentBytes),
  },
  {
    name: 'agent_uplink_received_bytes_total',
    help: 'bytes received by an uplink',
    kind: 'counter',
    labels: ['uplink', 'feed'],
    samples: ofUplinks(({ receivedBytes }) => receivedBytes),
  },
  {
    name: 'agent_uplink_dropped_messages_total',
    help: 'messages that an uplink dropped, live ones and queued ones',
    kind: 'counter',
    labels: ['uplink', 'feed', 'kind'],
    samples: ({ uplinks }) =>
      uplinks.flatMap(({ id, feed, droppedLiveMessages, droppedQueuedMessages }): Sample[] => [
        [{ uplink: id, feed, kind: 'live' }, droppedLiveMessages],
        [{ uplink: id, feed, kind: 'queued' }, droppedQueuedMessages],
      ]),
  },
  {
    name: 'agent_uplink_round_trip_seconds',
    help: 'last measured round trip to the relay',
    kind: 'gauge',
    labels: ['uplink', 'feed'],
    samples: ({ uplinks }) =>
      uplinks.flatMap(({ id, feed, roundTripMs }): Sample[] =>
        roundTripMs === undefined ? [] : [[{ uplink: id, feed }, roundTripMs / 1000]],
      ),
  },
  ...shellMetrics.map(
    ({ name, help, kind, value }): Metric => ({
      name,
      help,
      kind,
      labels: ['shell'],
      samples: ({ shells = [] }) => shells.map((shell): Sample => [{ shell: shell.name }, value(shell)]),
    }),
  ),
]

/** A registry whose values are those of the status at the moment of the question. */
export function agentMetrics(status: () => StatusReport): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const { name, help, kind, labels: labelNames, samples } of metrics) {
    const settings = { name, help, registers: [registry], labelNames }
    if (kind === 'gauge') {
      const gauge: Gauge = new Gauge({
        ...settings,
        collect: () => {
          gauge.reset()
          for (const [labels, value] of samples(status())) gauge.set(labels, value)
        },
      })
    } else {
      const counter: Counter = new Counter({
        ...settings,
        collect: () => {
          counter.reset()
          for (const [labels, value] of samples(status())) counter.inc(labels, value)
        },
      })
    }
  }
  return registry
}
