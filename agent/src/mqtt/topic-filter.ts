/** What the wildcards of a filter stood for in one topic, by name. */
export type Captures = ReadonlyMap<string, string>

/** A topic filter whose wildcards may have names. */
export interface TopicFilter {
  /** As MQTT writes it: with `+` and `#`. */
  readonly filter: string
  readonly names: readonly string[]
  /** What the named wildcards stand for; undefined when the topic does not fit. */
  match(topic: string): Captures | undefined
}

export type ParsedFilter =
  | { readonly ok: true; readonly filter: TopicFilter }
  | { readonly ok: false; readonly problem: string }

type Level =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'one'; readonly name: string | undefined }
  | { readonly kind: 'rest'; readonly name: string | undefined }

/** Topics of ours are short; MQTT would allow 65,535 bytes (MQTT 5, 1.5.4). */
const maxTopicBytes = 256
const wildcardPattern = /^\{([a-z][a-zA-Z0-9]{0,31})(#?)\}$/

/** Reads a filter such as `pend/{rig}/angle`, `pend/+/angle`, `pend/{rest#}` or `pend/#`. Pure. */
export function parseTopicFilter(text: string): ParsedFilter {
  const sizeProblem = checkSize(text)
  if (sizeProblem !== undefined) return { ok: false, problem: sizeProblem }
  if (text.startsWith('$share/'))
    return { ok: false, problem: 'a shared subscription would give part of the messages to another client' }
  const levels: Level[] = []
  const names: string[] = []
  const parts = text.split('/')
  for (const [index, part] of parts.entries()) {
    const level = parseLevel(part)
    if (level === undefined)
      return {
        ok: false,
        problem: `"${part}" is no level of a topic filter; a wildcard is a level of its own: +, #, {name} or {name#}`,
      }
    if (level.kind === 'rest' && index < parts.length - 1)
      return { ok: false, problem: `"${part}" may stand at the end only` }
    if (level.kind !== 'literal' && level.name !== undefined) {
      if (names.includes(level.name))
        return { ok: false, problem: `two wildcards have the name "${level.name}"` }
      names.push(level.name)
    }
    levels.push(level)
  }
  return { ok: true, filter: { filter: filterText(levels), names, match: (topic) => match(levels, topic) } }
}

/** Why nothing may be published to such a topic; undefined when it may. Pure. */
export function topicProblem(topic: string): string | undefined {
  const sizeProblem = checkSize(topic)
  if (sizeProblem !== undefined) return sizeProblem
  if (topic.startsWith('$')) return 'a topic that begins with $ belongs to the broker'
  return /[+#]/.test(topic) ? 'a topic to publish to has no wildcards' : undefined
}

function checkSize(topic: string): string | undefined {
  if (topic === '') return 'it is empty'
  if (Buffer.byteLength(topic) > maxTopicBytes) return `it is longer than ${maxTopicBytes} bytes`
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what brokers refuse (MQTT 5, 1.5.4)
  return /[\u0000-\u001f\u007f-\u009f\ufffd]|\p{Cs}/u.test(topic)
    ? 'it has characters that cannot be shown'
    : undefined
}

function parseLevel(part: string): Level | undefined {
  if (part === '+') return { kind: 'one', name: undefined }
  if (part === '#') return { kind: 'rest', name: undefined }
  const [, name, isRest] = wildcardPattern.exec(part) ?? []
  if (name !== undefined) return { kind: isRest === '#' ? 'rest' : 'one', name }
  return /[+#{}]/.test(part) ? undefined : { kind: 'literal', text: part }
}

function filterText(levels: readonly Level[]): string {
  return levels
    .map((level) => (level.kind === 'literal' ? level.text : level.kind === 'one' ? '+' : '#'))
    .join('/')
}

/** By MQTT 5, 4.7: `a/#` fits `a` too, and a wildcard at the beginning fits no topic that begins with `$`. */
function match(levels: readonly Level[], topic: string): Captures | undefined {
  const parts = topic.split('/')
  if (topic.startsWith('$') && levels[0]?.kind !== 'literal') return undefined
  const captures = new Map<string, string>()
  for (const [index, level] of levels.entries()) {
    if (level.kind === 'rest') {
      if (level.name !== undefined) captures.set(level.name, parts.slice(index).join('/'))
      return captures
    }
    const part = parts[index]
    if (part === undefined || (level.kind === 'literal' && level.text !== part)) return undefined
    if (level.kind === 'one' && level.name !== undefined) captures.set(level.name, part)
  }
  return parts.length === levels.length ? captures : undefined
}
