/** What a JSON value from the data stream means to the page. */
export type InstrumentMessage =
  /** Answer to `{"cmd":"ping","id":n}`. */
  | { readonly kind: 'pong'; readonly id: number }
  /** Answer to `{"cmd":"describe"}`: which controls the instrument has. */
  | { readonly kind: 'description'; readonly body: object }
  /** A command that another viewer sent: everybody on a topic hears everybody (session spec 6.3). */
  | { readonly kind: 'command' }
  | { readonly kind: 'sample'; readonly body: object; readonly deviceMs: number | undefined }
  /** Anything else: an error report, a text. */
  | { readonly kind: 'note'; readonly body: unknown }

/** Judges one value. Pure; looks at no more than the top level. */
export function readInstrumentMessage(value: unknown): InstrumentMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { kind: 'note', body: value }
  const fields = value as Record<string, unknown>
  if (typeof fields.cmd === 'string') return { kind: 'command' }
  if (typeof fields.pong === 'number') return { kind: 'pong', id: fields.pong }
  if (fields.report === 'describe') return { kind: 'description', body: value }
  if (typeof fields.report === 'string' || typeof fields.error === 'string')
    return { kind: 'note', body: value }
  return { kind: 'sample', body: value, deviceMs: typeof fields.t === 'number' ? fields.t : undefined }
}
