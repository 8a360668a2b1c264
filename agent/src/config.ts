import { Bytes, Duration, Section } from '@relay/common/config/schema'
import type { ConfigSpec } from '@relay/common/config/settings'
import { logLevels } from '@relay/common/log'
import { shellHostSettings } from '@relay/common/shell-host/shell-host-settings'
import { type StaticDecode, type TEnum, Type } from 'typebox'
import { mqttInstrumentSchema } from './mqtt/mqtt-config.ts'
import { encoderPresets } from './video/encoder-presets.ts'
import { recoverySteps } from './video/recovery-step.ts'

/** Names of feeds as the local API knows them (spec session 7.1). */
const feedPattern = '^[a-zA-Z0-9\\-/]+$'
/** Names of cameras and instruments: they stand in logs and metrics. */
const namePattern = '^[a-zA-Z0-9._\\-]{1,64}$'

function choice<const T extends string | number>(
  values: readonly T[],
  description: string,
  standard: NoInfer<T>,
): TEnum<T[]> {
  return Type.Enum<T[]>(values, { description, default: standard })
}

const accessDescription =
  'address of the access API, such as https://app.example.org/ed0/access; what follows it is /session/<topic>'

export const topicSchema = Section({
  topic: Type.String({ description: 'name of the topic at the relay, such as pend00-video', minLength: 1 }),
  feed: Type.String({ description: 'the feed that it carries, or a stream', pattern: feedPattern }),
  tokenFile: Type.String({
    description:
      'file that holds the token; relative names are looked for where systemd puts credentials, then beside this file',
    minLength: 1,
  }),
  access: Type.String({ description: 'address of another access API than relay.access', default: '' }),
  delivery: choice(
    ['auto', 'live', 'queued'],
    'what happens to messages while the link is down: live ones are dropped, queued ones wait; auto: what an instrument says and text is queued, other binary is live',
    'auto',
  ),
})

export const streamSchema = Section({
  stream: Type.String({
    description: 'name, beginning with stream/',
    pattern: '^stream/[a-zA-Z0-9\\-/]+$',
  }),
  feeds: Type.Array(Type.String({ pattern: feedPattern }), { description: 'the feeds that it gathers' }),
})

export const cameraSchema = Section({
  name: Type.String({ description: 'its name in logs and status', pattern: namePattern }),
  feed: Type.String({ description: 'where its frames go', pattern: feedPattern, default: 'video' }),
  preset: choice(encoderPresets, 'how the picture is made', 'mpeg1-compat'),
  device: Type.String({
    description: 'the camera, by a name that does not change: below /dev/v4l/by-id',
    default: '',
  }),
  inputFormat: Type.String({
    description:
      'pixel format that the camera is asked for, by its name in ffmpeg such as mjpeg or yuyv422; empty: ffmpeg chooses',
    pattern: '^[a-z0-9]{0,16}$',
    default: '',
  }),
  size: Type.String({
    description: 'width x height',
    pattern: '^[1-9][0-9]{1,3}x[1-9][0-9]{1,3}$',
    default: '640x480',
  }),
  framesPerSecond: Type.Number({
    description: 'MPEG-1 knows 23.976, 24, 25, 29.97, 30, 50, 59.94, 60',
    minimum: 1,
    maximum: 120,
    default: 24,
  }),
  kilobitsPerSecond: Type.Integer({
    description: 'rate of the video',
    minimum: 32,
    maximum: 50_000,
    default: 1000,
  }),
  arguments: Type.Array(Type.String(), {
    description: 'of ffmpeg, for the preset custom: all between its own name and the output',
    default: [],
  }),
  stallAfter: Duration({
    description: 'without a byte for so long the encoder is killed and started anew',
    default: '5s',
  }),
  audio: Section({
    device: Type.String({
      description:
        'microphone whose sound goes with the video, as ALSA names it, such as plughw:CARD=C615; test-tone: a tone; empty: none',
      default: '',
    }),
    kilobitsPerSecond: choice([32, 48, 64, 96, 128, 160, 192], 'rate of the sound, MP2 with one channel', 64),
  }),
  picture: Section({
    watch: Type.Boolean({
      description: 'look at the picture once a second and tell when it is black or frozen',
      default: true,
    }),
    faultAfter: Duration({
      description: 'a picture that is black, or has not changed by a single bit, for so long is told',
      default: '15s',
    }),
    whenFrozen: choice(
      ['report', 'recover'],
      'tell that the picture is frozen, or also start the encoder anew, four times at most until it moves',
      'report',
    ),
  }),
  recovery: Section({
    upTo: choice(
      recoverySteps,
      'how far to go when starts do not help: restart the encoder, reset the camera on the USB, switch its port off and on',
      'restart',
    ),
    sharedHub: Type.Boolean({
      description:
        'port-power: also where other devices hang on the same hub, which may lose their power too',
      default: false,
    }),
  }),
})

export const instrumentSchema = Section({
  name: Type.String({ description: 'its name in logs and status', pattern: namePattern }),
  feed: Type.String({
    description: 'where its messages go and from where it gets its commands',
    pattern: feedPattern,
    default: 'data',
  }),
  device: Type.String({
    description:
      'the serial port, by a name that does not change: below /dev/serial/by-id; or tcp://host:port, rfc2217://host:port, replay:/file',
    minLength: 1,
  }),
  baudRate: Type.Integer({
    description: 'speed of the port',
    minimum: 50,
    maximum: 12_000_000,
    default: 115_200,
  }),
  framing: choice(['line', 'raw', 'length'], 'how it marks where a message ends', 'line'),
  endOfLineIn: choice(['any', 'lf', 'crlf', 'cr'], 'framing line: what ends its lines', 'any'),
  endOfLineOut: choice(
    ['lf', 'crlf', 'cr', 'none'],
    'framing line: what it wants at the end of a command',
    'lf',
  ),
  lengthBytes: choice([1, 2, 4], 'framing length: size of the length before each message', 2),
  lengthOrder: choice(['big', 'little'], 'framing length: which byte of the length comes first', 'big'),
  maxMessage: Bytes({
    description: 'longer messages of it are cut (line) or skipped (length)',
    default: '16KiB',
  }),
  dataBits: choice([8, 7, 6, 5], 'bits of a character', 8),
  parity: choice(['none', 'even', 'odd'], 'how a character is checked', 'none'),
  stopBits: choice([1, 2], 'bits behind a character', 1),
  rtscts: Type.Boolean({ description: 'flow control by the lines RTS and CTS', default: false }),
  dtr: choice(
    ['leave', 'assert', 'pulse', 'touch1200'],
    'the DTR line: leave it as the system sets it, switch it on, pulse it to reset the board at each opening, or touch the port at 1200 baud at the start and when the board hangs',
    'leave',
  ),
  dtrLow: Duration({ description: 'dtr pulse: how long the line is held low', default: '250ms' }),
  settle: Duration({
    description: 'dtr pulse: the board boots for so long and what it says is left out',
    default: '2s',
  }),
  silentAfter: Duration({
    description: 'without a byte of it for so long it is opened anew; 0: it may be silent for ever',
    default: '0',
  }),
  writeWithin: Duration({
    description:
      'it takes a command within so long, beyond what the line needs for it; else it is opened anew',
    default: '5s',
  }),
  writeQueue: Bytes({
    description: 'commands that may wait for it; more are refused and counted',
    default: '16KiB',
  }),
  recordFile: Type.String({
    description: 'file in which all that it says and gets is recorded with times; empty: none',
    default: '',
  }),
  recordSize: Bytes({ description: 'a file of the recording is no longer than that', default: '16MiB' }),
  recordFiles: Type.Integer({
    description:
      'how many files are kept, the older ones as .1, .2 …; 1: the recording ends when its file is full',
    minimum: 1,
    maximum: 100,
    default: 2,
  }),
})

/** The configuration of `relay-agent`: type, check, defaults, help and documentation at once. */
export const agentConfigSpec = {
  program: 'relay-agent',
  envPrefix: 'RELAY_AGENT',
  schema: Section({
    name: Type.String({ description: 'name of this experiment, for people', default: '' }),
    relay: Section({ access: Type.String({ description: accessDescription, default: '' }) }),
    uplink: Section({
      queueSize: Bytes({
        description: 'text that may wait for each topic while its link is down',
        default: '256KiB',
      }),
      queueAge: Duration({ description: 'text that waited longer is dropped', default: '30s' }),
      maxBuffered: Bytes({
        description: 'live messages are dropped while more than this waits in a slow link',
        default: '256KiB',
      }),
      maxLag: Duration({
        description: 'live messages are dropped while the relay is further behind than this',
        default: '1s',
      }),
    }),
    video: Section({
      ffmpeg: Type.String({ description: 'the program ffmpeg, by name or path', default: 'ffmpeg' }),
    }),
    localApi: Section({
      enabled: Type.Boolean({ description: 'serve the API for scripts of this machine', default: true }),
      host: Type.String({
        description: 'localhost, an address, or * for every address of the machine',
        default: 'localhost',
        minLength: 1,
      }),
      port: Type.Integer({ description: 'its port', minimum: 0, maximum: 65_535, default: 8888 }),
      allowedOrigins: Type.Array(Type.String(), {
        description: 'origins whose web pages may use it',
        default: [],
      }),
      allowedHosts: Type.Array(Type.String(), {
        description: 'names beside localhost under which it may be addressed',
        default: [],
      }),
    }),
    recordings: Section({
      directory: Type.String({
        description: 'where rules may record what goes out; empty: nowhere',
        default: '',
      }),
      maxSize: Bytes({ description: 'a recording ends when it is that long', default: '1GiB' }),
    }),
    metrics: Section({
      host: Type.String({
        description: 'address of /metrics, for Prometheus, and of /status, /livez, /readyz and /linkz',
        default: '127.0.0.1',
        minLength: 1,
      }),
      port: Type.Integer({
        description: 'its port; 0: none of them',
        minimum: 0,
        maximum: 65_535,
        default: 0,
      }),
    }),
    status: Section({
      socket: Type.String({
        description: 'unix socket at which "relay-agent status" asks; empty: none',
        default: '/run/relay-agent/status.sock',
      }),
    }),
    statusPage: Section({
      host: Type.String({
        description: 'address of the page that shows the status, or * for every address of the machine',
        default: '*',
        minLength: 1,
      }),
      port: Type.Integer({ description: 'its port; 0: no page', minimum: 0, maximum: 65_535, default: 0 }),
      allowPublic: Type.Boolean({
        description: 'shows it to whoever comes; else only to addresses of local networks',
        default: false,
      }),
      allowedHosts: Type.Array(Type.String(), {
        description: 'names beside those of the machine under which it may be addressed',
        default: [],
      }),
    }),
    heartbeat: Section({
      topic: Type.String({
        description:
          'a topic of the list topics, such as pend00-health, where the agent says how it does; empty: none',
        default: '',
      }),
      every: Duration({ description: 'how often, beside each change', default: '30s' }),
    }),
    shell: Section(shellHostSettings()),
    log: Section({ level: choice(logLevels, 'what is logged', 'info') }),
    topics: Type.Array(topicSchema, { description: 'what is carried to and from the relay', default: [] }),
    streams: Type.Array(streamSchema, { description: 'lists of feeds', default: [] }),
    cameras: Type.Array(cameraSchema, { description: 'the cameras', default: [] }),
    instruments: Type.Array(instrumentSchema, {
      description: 'the instruments behind serial ports',
      default: [],
    }),
    mqttInstruments: Type.Array(mqttInstrumentSchema, {
      description: 'the instruments behind MQTT brokers',
      default: [],
    }),
  }),
} satisfies ConfigSpec<ReturnType<typeof Section>>

export type AgentConfig = Readonly<StaticDecode<typeof agentConfigSpec.schema>>
export type CameraConfig = AgentConfig['cameras'][number]
export type InstrumentConfig = AgentConfig['instruments'][number]
export type TopicConfig = AgentConfig['topics'][number]
