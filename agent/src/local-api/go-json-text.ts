const escapesByUnit: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** What Go writes as an escape: control characters, the three characters of HTML, and two line separators. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const escaped = /[\u0000-\u001f"\\<>&\u2028\u2029]/g

/** A JSON string as Go's `encoding/json` writes it: `<`, `>` and `&` are `\u003c`, `\u003e` and `\u0026`. */
export function goJsonString(text: string): string {
  return `"${text.toWellFormed().replaceAll(escaped, escapeUnit)}"`
}

/** A JSON array of strings; null where there is none at all. */
export function goJsonStrings(texts: readonly string[] | null): string {
  return texts === null ? 'null' : `[${texts.map((text) => goJsonString(text)).join(',')}]`
}

/** A JSON object of values that are JSON already, its keys in the order of their bytes. */
export function goJsonMap(entries: Iterable<readonly [key: string, json: string]>): string {
  const sorted = [...entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${sorted.map(([key, json]) => `${goJsonString(key)}:${json}`).join(',')}}`
}

function escapeUnit(unit: string): string {
  return escapesByUnit[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
