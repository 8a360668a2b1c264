import { Bytes, Duration, Section } from '@relay/common/config/schema'
import { type StaticDecode, Type } from 'typebox'

const qos = (description: string) => Type.Enum<[0, 1]>([0, 1], { description, default: 0 })
const form = (description: string) =>
  Type.Enum<['json', 'text', 'raw']>(['json', 'text', 'raw'], { description, default: 'json' })

/** One item of `subscriptions`: what the broker says, and how the feed hears it. */
export const mqttSubscriptionSchema = Section({
  filter: Type.String({
    description: 'topics to hear; wildcards are +, # or with a name {rig}, {rest#}',
    minLength: 1,
  }),
  qos: qos('1: nothing is lost between broker and agent'),
  form: form('what the feed gets: JSON or text by template, or raw: the payload as a binary message'),
  template: Type.String({
    description: 'the message: text with holes such as ${topic}, ${payload}, ${json.angle}, ${rig}',
    default: '{"topic":${topic},"value":${payload}}',
  }),
  keep: Type.Boolean({
    description: 'the last message of each topic is said again to viewers who join late',
    default: false,
  }),
  maxPerSecond: Type.Integer({
    description: 'more messages are dropped and counted',
    minimum: 1,
    maximum: 5000,
    default: 100,
  }),
})

/** One item of `publications`: what the feed says, and how the broker hears it. */
export const mqttPublicationSchema = Section({
  match: Type.String({
    description:
      'commands that it is for: JSON with holes such as ${speed:number 0..5}; empty: every message, with form raw',
    default: '',
  }),
  topic: Type.String({
    description: 'where it goes; holes of the types word and integer may stand in it',
    minLength: 1,
  }),
  form: form('how the payload is made: JSON or text by template, or raw: the message as it is'),
  template: Type.String({ description: 'the payload, with the holes of match: ${speed}', default: '' }),
  qos: qos('1: until the broker has it, also across a new connection, within commandAge'),
  retain: Type.Boolean({ description: 'the broker keeps it for those who come later', default: false }),
})

function notice(what: string) {
  return Section({
    topic: Type.String({ description: `${what}: its topic; empty: none`, default: '' }),
    payload: Type.String({ description: `${what}: what it says`, maxLength: 4096, default: '' }),
    qos: Type.Enum<[0, 1]>([0, 1], { description: `${what}: its QoS`, default: 1 }),
    retain: Type.Boolean({ description: `${what}: the broker keeps it`, default: true }),
  })
}

const fileNote = 'relative names are looked for where systemd puts credentials, then beside this file'

/** One item of `mqttInstruments`. */
export const mqttInstrumentSchema = Section({
  name: Type.String({ description: 'its name in logs and status', pattern: '^[a-zA-Z0-9._\\-]{1,64}$' }),
  feed: Type.String({
    description: 'where its messages go and from where it gets its commands',
    pattern: '^[a-zA-Z0-9\\-/]+$',
    default: 'data',
  }),
  broker: Type.String({
    description:
      'address of the broker: mqtt://host, or mqtts://host with TLS; ports 1883 and 8883 go without saying',
    minLength: 1,
  }),
  protocol: Type.Enum<[5, '3.1.1']>([5, '3.1.1'], { description: 'version of MQTT', default: 5 }),
  clientId: Type.String({
    description: 'empty: one that stays the same and that no other agent has',
    maxLength: 128,
    default: '',
  }),
  username: Type.String({ description: 'who we are, where the broker asks', maxLength: 256, default: '' }),
  passwordFile: Type.String({ description: `file that holds the password; ${fileNote}`, default: '' }),
  caFile: Type.String({
    description: `TLS: certificate of the authority to trust, in place of the well-known ones; ${fileNote}`,
    default: '',
  }),
  certFile: Type.String({ description: `TLS: certificate of this client; ${fileNote}`, default: '' }),
  keyFile: Type.String({ description: `TLS: key of that certificate; ${fileNote}`, default: '' }),
  keepAlive: Duration({
    description: 'a broker that is silent for one and a half times as long is given up',
    default: '15s',
  }),
  connectTimeout: Duration({ description: 'for connecting and logging in', default: '10s' }),
  cleanSession: Type.Boolean({
    description: 'false: the broker keeps what comes by QoS 1 while the agent is away',
    default: true,
  }),
  sessionExpiry: Duration({
    description: 'MQTT 5 without clean session: for how long the broker keeps it',
    default: '1h',
  }),
  will: notice('last will, published when the agent is gone, killed or stopped'),
  birth: notice('published at each connection'),
  subscriptions: Type.Array(mqttSubscriptionSchema, { description: 'from the broker', default: [] }),
  publications: Type.Array(mqttPublicationSchema, { description: 'to the broker', default: [] }),
  maxPayload: Bytes({
    description: 'longer messages, either way, are dropped and counted',
    default: '64KiB',
  }),
  commandQueue: Bytes({
    description: 'commands that may wait; more are refused and counted',
    default: '16KiB',
  }),
  commandAge: Duration({
    description: 'a command that waited longer is dropped and counted, never carried out late',
    default: '5s',
  }),
  keptSize: Bytes({ description: 'for the last messages of topics with keep', default: '64KiB' }),
  repeatRequest: Type.String({
    description: 'a command of the feed that asks for what is kept; empty: none',
    default: '{"cmd":"describe"}',
  }),
  repeatEvery: Duration({ description: 'what is kept is said again so often; 0: never', default: '0' }),
})

export type MqttInstrumentConfig = Readonly<StaticDecode<typeof mqttInstrumentSchema>>
export type MqttSubscriptionConfig = MqttInstrumentConfig['subscriptions'][number]
export type MqttPublicationConfig = MqttInstrumentConfig['publications'][number]
