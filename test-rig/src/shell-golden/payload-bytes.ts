import { AppError } from '@relay/common/errors'
import { fillTemplate, type TemplateValues } from '../golden/template.ts'
import type { FillSpec, PayloadSpec } from './shell-case.ts'

/** The bytes that a step describes. Throws `GOLDEN_CASE` when it describes none. */
export function payloadBytes(spec: PayloadSpec, values: TemplateValues): Buffer {
  const text = spec.text ?? spec.utf8
  if (text !== undefined) return Buffer.from(fillTemplate(text, values))
  if (spec.hex !== undefined) return Buffer.from(spec.hex, 'hex')
  if (spec.fill !== undefined) return fillBytes(spec.fill)
  throw new AppError('GOLDEN_CASE', 'a payload needs text, utf8, hex or fill')
}

/** Byte i is (7 i + 13 floor(i/256) + seed) mod 256; the whole is repeated as asked. */
export function fillBytes({ size, seed, repeat = 1 }: FillSpec): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  for (let index = 0; index < size; index += 1)
    bytes[index] = (7 * index + 13 * Math.floor(index / 256) + seed) & 255
  return Buffer.concat(Array.from({ length: repeat }, () => bytes))
}
