import { splitJson } from '../feeds/split-json.ts'
import type { Framing, LineEndOut } from './decode-frames.ts'

const endBytes: Readonly<Record<LineEndOut, string>> = { lf: '\n', crlf: '\r\n', cr: '\r', none: '' }

/**
 * The bytes that an instrument gets for a message; several where a relay has joined JSON messages (spec session 6.4);
 * none for an empty message, and for one that is too long for the length prefix. Pure.
 */
export function encodeMessage(message: Buffer, framing: Framing): readonly Buffer[] {
  if (message.length === 0) return []
  switch (framing.kind) {
    case 'line':
      return splitJson(message).flatMap((part) => encodeLines(part, endBytes[framing.endOut]))
    case 'length':
      return encodeLength(message, framing)
    default:
      return [message]
  }
}

/** Every line ends as the instrument wants it. Line breaks inside of JSON are mere white space and would cut it. */
function encodeLines(part: Buffer, end: string): readonly Buffer[] {
  const text = part.toString('utf8')
  if (isJsonValue(text)) return [Buffer.from(`${text.replaceAll(/[\r\n]+/g, ' ')}${end}`)]
  return text
    .split(/\r\n|\r|\n/)
    .filter((line) => line !== '')
    .map((line) => Buffer.from(`${line}${end}`))
}

function isJsonValue(text: string): boolean {
  if (!/[\r\n]/.test(text) || !/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function encodeLength(message: Buffer, framing: Extract<Framing, { kind: 'length' }>): readonly Buffer[] {
  if (message.length > Math.min(framing.maxBytes, 2 ** (8 * framing.prefixBytes) - 1)) return []
  const framed = Buffer.alloc(framing.prefixBytes + message.length)
  if (framing.order === 'big') framed.writeUIntBE(message.length, 0, framing.prefixBytes)
  else framed.writeUIntLE(message.length, 0, framing.prefixBytes)
  message.copy(framed, framing.prefixBytes)
  return [framed]
}
