import { readFileSync } from 'node:fs'
import { AppError } from '@relay/common/errors'
import type { ShellCase, ShellExpectation, ShellStepKind } from './shell-case.ts'

interface StepGrammar {
  readonly needs: readonly string[]
  readonly takes?: readonly string[]
  /** What may be expected. Anything else would be passed over in silence, so it is refused. */
  readonly expects?: readonly (keyof ShellExpectation)[]
}

const payload = ['text', 'utf8', 'hex', 'fill'] as const

const grammar: Readonly<Record<ShellStepKind, StepGrammar>> = {
  http: {
    needs: ['method', 'path'],
    takes: ['port', 'token', 'headers', 'body'],
    expects: ['status', 'headers', 'body', 'capture', 'cut'],
  },
  ws: { needs: ['as', 'uri'], takes: ['headers'], expects: ['refused', 'headers', 'body'] },
  send: { needs: ['on'], takes: [...payload, 'type', 'fragments', 'raw', 'times'] },
  receive: { needs: ['on'], takes: ['until', 'within'], expects: [...payload, 'type', 'json', 'frames'] },
  read: { needs: ['on'], expects: [...payload, 'within'] },
  quiet: { needs: ['on', 'ms'], expects: ['mayEnd'] },
  closed: { needs: ['on'], expects: ['code', 'within', 'notBefore'] },
  close: { needs: ['on'], takes: ['code'] },
  cut: { needs: ['on'] },
  pause: { needs: ['on'] },
  resume: { needs: ['on'] },
  mute: { needs: ['on'] },
  ping: { needs: ['on'], takes: ['send', 'within'], expects: ['within', 'notBefore'] },
  mark: { needs: ['as'] },
  wait: { needs: ['ms'] },
  fake: { needs: [] },
  accept: {
    needs: ['request', 'reply'],
    takes: ['as', 'since', 'within'],
    expects: ['headers', 'body', 'within', 'notBefore', 'notAfter'],
  },
  'no-request': { needs: ['ms'] },
  listen: { needs: ['as', 'port'] },
  dial: { needs: ['as', 'port'] },
  take: { needs: ['from', 'as'] },
  start: { needs: ['as', 'program', 'env'], takes: ['ready'] },
  signal: { needs: ['program', 'signal'] },
  exited: { needs: ['program'], expects: ['code', 'stdout', 'jwt'] },
  alive: { needs: ['program'], takes: ['ms'] },
}

/** Reads transcripts. Throws `GOLDEN_CASE` with every key that we would not look at, and every one that is missing. */
export function loadShellCases(file: URL): readonly ShellCase[] {
  const cases = JSON.parse(readFileSync(file, 'utf8')) as readonly ShellCase[]
  const problems = cases.flatMap(explainShellCase)
  if (problems.length > 0) throw new AppError('GOLDEN_CASE', `wrong cases: ${problems.join('; ')}`)
  return cases
}

/** The mistakes of one case, each a sentence. */
export function explainShellCase({ name, steps }: ShellCase): readonly string[] {
  return steps.flatMap((step, index) => {
    const known = Object.hasOwn(grammar, step.do) ? grammar[step.do] : undefined
    const place = `${name}: step ${String(index + 1)} (${step.do})`
    if (known === undefined) return [`${place} is of an unknown kind`]
    const { needs, takes = [], expects = [] } = known
    const allowed = new Set(['do', 'only', 'expect', 'reference', 'wanted', ...needs, ...takes])
    const asked = [step.expect, step.reference, step.wanted].flatMap((each) => Object.keys(each ?? {}))
    return [
      ...Object.keys(step)
        .filter((key) => !allowed.has(key))
        .map((key) => `${place} has an unknown key ${key}`),
      ...needs.filter((key) => !Object.hasOwn(step, key)).map((key) => `${place} lacks ${key}`),
      ...asked
        .filter((key) => !expects.some((each) => each === key))
        .map((key) => `${place} cannot expect ${key}`),
    ]
  })
}
