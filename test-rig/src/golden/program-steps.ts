import { setTimeout as sleep } from 'node:timers/promises'
import { type CaseWorld, patienceMs } from './case-world.ts'
import { ChildProgram } from './child-program.ts'
import { explainHeaders, explainOutcome, explainStatus, parseJson } from './explain-response.ts'
import {
  type AliveStep,
  type AttemptsStep,
  type Expectation,
  expectationOf,
  type JwtExpectation,
  type PostStep,
  type RunStep,
  type StopStep,
  type TsStep,
  type WaitStep,
} from './golden-case.ts'
import { explainJsonMismatch } from './match-json.ts'
import { makeMessage } from './payload.ts'
import { fillTemplate, matchText, type TemplateValues } from './template.ts'
import { sign } from './token-mint.ts'
import { TsUpload } from './ts-upload.ts'

/** A program that is going to fall does so within this time. */
const fallMs = 400
const runWithinMs = 20_000
const stopWithinMs = 6_000

/** Opens, continues, ends or breaks off an upload of MPEG-TS. */
export async function runTs(step: TsStep, world: CaseWorld): Promise<readonly string[]> {
  if (step.open !== undefined) {
    const port = world.portOf('host')
    world.addUpload(step.id, await TsUpload.open({ port, path: step.open, withinMs: patienceMs }))
  }
  const upload = world.upload(step.id)
  await upload.write((step.write ?? []).map((spec) => makeMessage(spec, world.values).data))
  if (step.abort === true) upload.abort()
  if (step.end !== true) return []
  const outcome = await upload.end(step.withinMs ?? patienceMs)
  const expected = expectationOf(step, world.side) ?? {}
  if (expected.noAnswer === true)
    return outcome.kind === 'silent' ? [] : ['expected no answer to the upload, got one']
  return explainOutcome(expected, outcome, world.values)
}

/** The host under test asked the scripted access server. */
export async function runPost(step: PostStep, world: CaseWorld): Promise<readonly string[]> {
  const withinMs = step.withinMs ?? patienceMs
  const request = await world.fakeAccess.take(step.path, withinMs)
  if (request === undefined)
    return [`expected a request for ${step.path} within ${String(withinMs)} ms, got none`]
  const expected = expectationOf(step, world.side) ?? {}
  const differing = (['method', 'path', 'body'] as const).filter((part) => {
    const want = expected[part]
    return want !== undefined && !matchText(want, request[part], world.values)
  })
  return [
    ...differing.map(
      (part) => `${part}: expected ${JSON.stringify(expected[part])}, got ${JSON.stringify(request[part])}`,
    ),
    ...explainHeaders(expected.headers ?? {}, request.headers, world.values),
  ]
}

/** How often, and when, the host under test tried. */
export async function runAttempts(step: AttemptsStep, world: CaseWorld): Promise<readonly string[]> {
  const seen = (): readonly number[] => [
    ...world.fakeAccess.seenAtMs(step.path),
    ...world.fakeRelay.seenAtMs(step.path),
  ]
  const giveUpAtMs = performance.now() + patienceMs
  while (seen().length === 0) {
    if (performance.now() > giveUpAtMs) return [`expected a first attempt at ${step.path}, got none`]
    await sleep(10)
  }
  const firstAtMs = Math.min(...seen())
  await sleep(Math.max(0, firstAtMs + step.watchMs - performance.now()))
  const atMs = seen()
    .map((moment) => moment - firstAtMs)
    .filter((moment) => moment <= step.watchMs)
    .sort((one, other) => one - other)
  return explainAttempts(expectationOf(step, world.side) ?? {}, atMs)
}

/** Everything in which attempts at these moments differ from what is expected. */
export function explainAttempts(expected: Expectation, atMs: readonly number[]): readonly string[] {
  const { min = 0, max = Infinity, toleranceMs = 0 } = expected
  const got = atMs.map((moment) => Math.round(moment)).join(', ')
  if (atMs.length < min || atMs.length > max) {
    return [`expected ${String(min)} to ${String(max)} attempts, got ${String(atMs.length)}, at ${got} ms`]
  }
  const wanted = expected.atMs
  const isOff =
    wanted !== undefined &&
    (wanted.length !== atMs.length ||
      wanted.some((moment, index) => Math.abs(moment - (atMs[index] ?? Infinity)) > toleranceMs))
  return isOff ? [`expected attempts at ${wanted.join(', ')} ms, got ${got} ms`] : []
}

/** Lets time pass, as the transcript did. */
export async function runWait(step: WaitStep): Promise<readonly string[]> {
  await sleep(step.ms)
  return []
}

/** Whether a server still runs and takes connections, after the time in which it would have fallen. */
export async function runAlive(step: AliveStep, world: CaseWorld): Promise<readonly string[]> {
  await sleep(fallMs)
  const expected = expectationOf(step, world.side)?.alive ?? true
  const isAlive = await world.servers.isAlive(step.server)
  return isAlive === expected
    ? []
    : [`expected ${step.server} ${expected ? 'to run' : 'to have died'}, it did not`]
}

/** Sends a server a signal and looks at how it ends. */
export async function runStop(step: StopStep, world: CaseWorld): Promise<readonly string[]> {
  const withinMs = step.withinMs ?? stopWithinMs
  const exit = await world.servers.stop(step.server, { signal: step.signal, withinMs })
  if (exit === undefined) return [`expected ${step.server} to end within ${String(withinMs)} ms, it runs`]
  return explainStatus(expectationOf(step, world.side)?.exit, exit.code ?? -1, 'exit code')
}

/** Runs a command to its end. */
export async function runCommand(step: RunStep, world: CaseWorld): Promise<readonly string[]> {
  const env = Object.entries(step.env).map(
    ([name, text]) => [name, fillTemplate(text, world.values)] as const,
  )
  const program = new ChildProgram(world.commands(world.generation, step.command), Object.fromEntries(env))
  const exit = await program.whenExited(runWithinMs)
  if (exit === undefined) {
    await program.stop()
    return [`expected ${step.command} to end, it runs`]
  }
  const { stdout, outputContains, jwt, exit: code } = expectationOf(step, world.side) ?? {}
  const output = program.stdout + program.stderr
  const problems = [
    ...explainStatus(code, exit.code ?? -1, 'exit code'),
    ...(stdout === undefined || stdout === program.stdout
      ? []
      : [`stdout: expected ${JSON.stringify(stdout)}, got ${JSON.stringify(program.stdout)}`]),
    ...(outputContains === undefined || output.includes(outputContains)
      ? []
      : [`output: expected to contain ${JSON.stringify(outputContains)}`]),
    ...(jwt === undefined ? [] : explainJwt(jwt, program.stdout, world.values)),
  ]
  return problems.length === 0 ? [] : [...problems, program.describe()]
}

/** Everything in which what a token command printed differs from the expected token, alone on its line. */
export function explainJwt(
  expected: JwtExpectation,
  stdout: string,
  values: TemplateValues,
): readonly string[] {
  const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)\n$/.exec(stdout)
  if (parts === null) return ['jwt: expected one token and a newline on stdout']
  const [, header = '', claims = '', signature = ''] = parts
  const decoded = [header, claims].map((part) => parseJson(Buffer.from(part, 'base64url').toString())?.value)
  const problems = [
    explainJsonMismatch(expected.header, decoded[0], { values, subset: false }),
    explainJsonMismatch(expected.claims, decoded[1], { values, subset: false }),
    sign(`${header}.${claims}`, 'HS256', expected.secret) === signature ? undefined : 'wrong signature',
    lifetimeOf(decoded[1]) === expected.lifetime
      ? undefined
      : `lifetime is not ${String(expected.lifetime)} s`,
  ]
  return problems.filter((problem) => problem !== undefined).map((problem) => `jwt: ${problem}`)
}

function lifetimeOf(claims: unknown): number | undefined {
  if (typeof claims !== 'object' || claims === null || !('exp' in claims) || !('iat' in claims))
    return undefined
  return Number(claims.exp) - Number(claims.iat)
}
