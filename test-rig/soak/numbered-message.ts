import type { Numbered } from './order-ledger.ts'

export type SoakMessage =
  | { readonly kind: 'reading'; readonly reading: Numbered }
  | { readonly kind: 'answer'; readonly id: number }
  | { readonly kind: 'other' }

/** What a text of the instrument or the broker is; garbage is `other`. Pure. */
export function readMessage(text: string): SoakMessage {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'other' }
  }
  if (typeof value !== 'object' || value === null) return { kind: 'other' }
  const { run, seq, born, pong } = value as Readonly<Record<string, unknown>>
  if (typeof pong === 'number') return { kind: 'answer', id: pong }
  if (typeof run === 'number' && typeof seq === 'number' && typeof born === 'number')
    return { kind: 'reading', reading: { run, seq, bornAtMs: born } }
  return { kind: 'other' }
}
