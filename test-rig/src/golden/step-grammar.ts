import { readFileSync } from 'node:fs'
import { AppError, UsageError } from '@relay/common/errors'
import type { Expectation, GoldenCase, StepKind } from './golden-case.ts'

type Kind = 'text' | 'number' | 'flag' | 'list' | 'object' | 'message'

/** `?` marks what may be left out. */
type Field = Kind | `${Kind}?`

interface StepGrammar {
  readonly fields: Readonly<Record<string, Field>>
  /** What may be expected. Anything else would be passed over in silence, so it is refused. */
  readonly expects: readonly (keyof Expectation)[]
}

const peer = { peer: 'text' } as const
const timedPeer = { peer: 'text', withinMs: 'number?' } as const

/** Every kind of step, what it takes, and what can be expected of it. */
const grammar: Readonly<Record<StepKind, StepGrammar>> = {
  http: {
    fields: {
      to: 'text',
      method: 'text',
      path: 'text',
      token: 'object?',
      headers: 'object?',
      body: 'text?',
      bodyBytes: 'list?',
      chunked: 'flag?',
      keepAlive: 'flag?',
      save: 'object?',
      mint: 'object?',
    },
    expects: [
      'status',
      'headers',
      'body',
      'bodyContains',
      'json',
      'jsonContains',
      'jsonSet',
      'jsonHas',
      'at',
      'dropped',
    ],
  },
  connect: {
    fields: {
      ...peer,
      token: 'object?',
      uri: 'text?',
      protocols: 'list?',
      offerDeflate: 'flag?',
      headers: 'object?',
      autoPong: 'flag?',
      settleMs: 'number?',
    },
    expects: ['open', 'protocol', 'extensions', 'status', 'headers', 'body'],
  },
  send: {
    fields: {
      ...peer,
      message: 'message?',
      fragments: 'list?',
      as: 'text?',
      pingBetween: 'flag?',
      burst: 'object?',
      raw: 'text?',
    },
    expects: [],
  },
  expect: { fields: { ...timedPeer, messages: 'list' }, expects: ['messages'] },
  expectJson: { fields: timedPeer, expects: ['text', 'subset', 'json', 'jsonHas'] },
  expectBurst: { fields: { ...timedPeer, burst: 'object' }, expects: ['messages', 'atLeast'] },
  expectBytes: { fields: { ...timedPeer, bytes: 'list' }, expects: ['minMessages', 'maxMessages'] },
  silent: { fields: { ...peer, forMs: 'number', mayClose: 'flag?' }, expects: [] },
  closed: { fields: timedPeer, expects: ['code', 'reason', 'afterMs', 'beforeMs'] },
  open: { fields: { ...peer, forMs: 'number?' }, expects: [] },
  ping: { fields: { ...timedPeer, data: 'text' }, expects: [] },
  expectPing: { fields: timedPeer, expects: ['afterMs', 'beforeMs'] },
  drain: { fields: { ...peer, forMs: 'number' }, expects: [] },
  close: { fields: { ...peer, code: 'number?', reason: 'text?' }, expects: [] },
  terminate: { fields: peer, expects: [] },
  wait: { fields: { ms: 'number' }, expects: [] },
  ts: {
    fields: { id: 'text', open: 'text?', write: 'list?', end: 'flag?', abort: 'flag?', withinMs: 'number?' },
    expects: ['noAnswer', 'status'],
  },
  post: { fields: { path: 'text', withinMs: 'number?' }, expects: ['method', 'path', 'body', 'headers'] },
  dial: { fields: { ...timedPeer, path: 'text' }, expects: ['path', 'headers'] },
  attempts: {
    fields: { path: 'text', watchMs: 'number' },
    expects: ['atMs', 'toleranceMs', 'min', 'max'],
  },
  alive: { fields: { server: 'text' }, expects: ['alive'] },
  run: { fields: { command: 'text', env: 'object' }, expects: ['exit', 'stdout', 'outputContains', 'jwt'] },
  stop: { fields: { server: 'text', signal: 'text', withinMs: 'number?' }, expects: ['exit'] },
}

const caseFields: Readonly<Record<string, Field>> = {
  name: 'text',
  generation: 'text',
  server: 'object',
  steps: 'list',
  fake: 'object?',
  slow: 'flag?',
  note: 'text?',
  source: 'message?',
}

/**
 * Reads a file of cases. Throws `UsageError` for a file that cannot be read as JSON, and `GOLDEN_CASE` with every
 * mistake in the cases: a key we do not know would check nothing.
 */
export function loadCases(file: URL | string): readonly GoldenCase[] {
  const content = readJson(file)
  const problems = explainCases(content)
  if (problems.length > 0) throw new AppError('GOLDEN_CASE', `wrong cases: ${problems.join('; ')}`)
  return content as readonly GoldenCase[]
}

function readJson(file: URL | string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown
  } catch (cause) {
    throw new UsageError(`cannot read ${String(file)}`, { cause })
  }
}

/** All mistakes of a list of cases, each one sentence; empty when it can be replayed. */
export function explainCases(content: unknown): readonly string[] {
  if (!Array.isArray(content)) return ['not a list of cases']
  const cases: readonly unknown[] = content
  const names = cases.map((each, index) => (isObject(each) ? String(each['name']) : `case ${String(index)}`))
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  return [
    ...twice.map((name) => `two cases are called ${JSON.stringify(name)}`),
    ...cases.flatMap((each, index) =>
      explainCase(each).map((problem) => `${names[index] ?? ''}: ${problem}`),
    ),
  ]
}

function explainCase(value: unknown): readonly string[] {
  if (!isObject(value)) return ['not an object']
  const steps: readonly unknown[] = Array.isArray(value['steps']) ? value['steps'] : []
  return [
    ...explainFields(value, caseFields),
    ...(['v0.2.2', 'v0.9.3'].includes(String(value['generation'])) ? [] : ['unknown generation']),
    ...steps.flatMap((step, index) =>
      explainStep(step).map((problem) => `step ${String(index + 1)}: ${problem}`),
    ),
  ]
}

function explainStep(value: unknown): readonly string[] {
  if (!isObject(value)) return ['not an object']
  const kind = String(value['do'])
  if (!Object.hasOwn(grammar, kind)) return [`unknown step ${JSON.stringify(kind)}`]
  const { fields, expects } = grammar[kind as StepKind]
  const common = { do: 'text', only: 'text?', reference: 'object?', wanted: 'object?' } as const
  const unknown = (['reference', 'wanted'] as const).flatMap((side) => {
    const expectation = value[side]
    const allowed: readonly string[] = expects
    return isObject(expectation)
      ? Object.keys(expectation)
          .filter((key) => !allowed.includes(key))
          .map((key) => `${kind} cannot expect ${JSON.stringify(key)}`)
      : []
  })
  return [...explainFields(value, { ...common, ...fields }), ...unknown]
}

function explainFields(
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Field>>,
): string[] {
  const unknown = Object.keys(value).filter((key) => !Object.hasOwn(fields, key))
  const wrong = Object.entries(fields).filter(([key, field]) => !fits(value[key], field))
  return [
    ...unknown.map((key) => `unknown key ${JSON.stringify(key)}`),
    ...wrong.map(([key, field]) => `${JSON.stringify(key)} must be ${field.replace('?', ' or absent')}`),
  ]
}

function fits(value: unknown, field: Field): boolean {
  if (value === undefined) return field.endsWith('?')
  switch (field.replace('?', '')) {
    case 'text':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number'
    case 'flag':
      return typeof value === 'boolean'
    case 'list':
      return Array.isArray(value)
    case 'message':
      return typeof value === 'string' || typeof value === 'object'
    default:
      return isObject(value)
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
