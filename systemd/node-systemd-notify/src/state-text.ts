/** systemd reads no more than 4096 bytes of one message; a status shares it with other fields. */
const maxStatusBytes = 1_024

/** One field of a message of sd_notify(3). */
export type Field = readonly [name: string, value: string | number | bigint]

/** The message of some fields: a line for each. Pure. */
export function stateText(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${name}=${value}\n`).join('')
}

/** The field of a status: one line, as a line break in it would begin another field, and not too long. Pure. */
export function statusField(text: string): Field {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const line = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
  return ['STATUS', shorten(line.toWellFormed(), maxStatusBytes)]
}

/** No character is cut in two. */
function shorten(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text
  const end = '…'
  const bytes = Buffer.from(text).subarray(0, maxBytes - Buffer.byteLength(end))
  return bytes.toString().replace(/\uFFFD+$/, '') + end
}
