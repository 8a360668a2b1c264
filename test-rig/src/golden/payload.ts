import { AppError } from '@relay/common/errors'
import { fillTemplate, matchText, type TemplateValues } from './template.ts'

/** How a case describes a message: a text alone is a text message; bytes are binary unless `as` says otherwise. */
export type MessageSpec = string | MessageBytesSpec

export interface MessageBytesSpec {
  readonly text?: string
  readonly hex?: string
  readonly fill?: number
  readonly length?: number
  readonly tsPackets?: number
  /** Number of the first packet of `tsPackets`. */
  readonly from?: number
  readonly as?: MessageType
}

export type MessageType = 'text' | 'binary'

export interface Message {
  readonly type: MessageType
  readonly data: Buffer
}

const tsPacketBytes = 188

/** The message to send. */
export function makeMessage(spec: MessageSpec, values: TemplateValues): Message {
  if (typeof spec === 'string') return { type: 'text', data: Buffer.from(fillTemplate(spec, values)) }
  const type = spec.as ?? (spec.text === undefined ? 'binary' : 'text')
  return { type, data: makeBytes(spec, values) }
}

/** Undefined when the message is the expected one, else a sentence; texts may hold pattern placeholders. */
export function explainMessageMismatch(
  spec: MessageSpec,
  actual: Message,
  values: TemplateValues,
): string | undefined {
  if (typeof spec === 'string') {
    const isSame = actual.type === 'text' && matchText(spec, actual.data.toString(), values)
    return isSame ? undefined : `expected text ${JSON.stringify(spec)}, got ${describeMessage(actual)}`
  }
  const expected = makeMessage(spec, values)
  const isSame = actual.type === expected.type && actual.data.equals(expected.data)
  return isSame ? undefined : `expected ${describeMessage(expected)}, got ${describeMessage(actual)}`
}

/** MPEG-TS as the transcripts have it: packet k is 0x47, 1, 0, 0x10 | (k & 15), then byte j is (k + j) & 255. */
export function makeTsPackets(count: number, from = 0): Buffer {
  const packets = Buffer.alloc(count * tsPacketBytes)
  for (let index = 0; index < count; index += 1) {
    const number = from + index
    const packet = packets.subarray(index * tsPacketBytes, (index + 1) * tsPacketBytes)
    packet.set([0x47, 1, 0, 0x10 | (number & 15)])
    for (let place = 4; place < tsPacketBytes; place += 1) packet[place] = (number + place) & 255
  }
  return packets
}

/** For people: the kind, the size and the beginning. */
export function describeMessage({ type, data }: Message): string {
  const shown = data.subarray(0, 80)
  const beginning = type === 'text' ? JSON.stringify(shown.toString()) : shown.toString('hex')
  const rest = data.length > shown.length ? '...' : ''
  return `${type} of ${String(data.length)} bytes ${beginning}${rest}`
}

function makeBytes(spec: MessageBytesSpec, values: TemplateValues): Buffer {
  if (spec.text !== undefined) return Buffer.from(fillTemplate(spec.text, values))
  if (spec.hex !== undefined) return Buffer.from(spec.hex, 'hex')
  if (spec.tsPackets !== undefined) return makeTsPackets(spec.tsPackets, spec.from)
  if (spec.fill !== undefined && spec.length !== undefined) return Buffer.alloc(spec.length, spec.fill)
  throw new AppError(
    'GOLDEN_CASE',
    `a message needs text, hex, tsPackets, or fill and length: ${JSON.stringify(spec)}`,
  )
}
