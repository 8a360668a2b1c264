import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@relay/common/errors'
import { explainStatus } from '../golden/explain-response.ts'
import { parseJson } from '../golden/explain-response.ts'
import { sign } from '../golden/token-mint.ts'
import { exchange, type HeaderLine } from '../golden/raw-http.ts'
import { fillTemplate, secondsFromNow, type TemplateValues } from '../golden/template.ts'
import { dial } from '../golden/websocket-dial.ts'
import { TcpConnection, WebsocketConnection } from './case-connection.ts'
import { type KeptValues, matchExpectedText } from './match-expected.ts'
import {
  type AcceptStep,
  type ClosedStep,
  type CloseExpectation,
  type HttpStep,
  type NoRequestStep,
  type PingStep,
  type PortStep,
  type ShellTokenSpec,
  type TakeStep,
  wantedOf,
  type WsStep,
} from './shell-case.ts'
import { patienceMs, type ShellWorld } from './shell-world.ts'

/** Sends a request and looks at the answer. */
export async function runHttp(step: HttpStep, world: ShellWorld): Promise<readonly string[]> {
  const { values } = world
  const body = step.body === undefined ? undefined : Buffer.from(fillTemplate(step.body, values))
  const token = step.token === undefined ? [] : [['Authorization', tokenText(step.token, values)] as const]
  const length = [['Content-Length', String(body?.length ?? 0)] as const]
  const outcome = await exchange(
    {
      port: Number(fillTemplate(step.port ?? '{{accessPort}}', values)),
      method: step.method,
      path: fillTemplate(step.path, values),
      headers: [...token, ...headerLines(step.headers, values), ...(step.method === 'GET' ? [] : length)],
      ...(body === undefined ? {} : { body }),
    },
    patienceMs,
  )
  const expected = wantedOf(step)
  if (expected.cut === true)
    return outcome.kind === 'dropped' ? [] : ['expected a connection without an answer']
  if (outcome.kind !== 'answered') return [`expected an answer, the connection was ${outcome.kind}`]
  const { status, headers, body: answer } = outcome.response
  const text = answer.toString()
  const wrong = [
    ...explainStatus(expected.status, status),
    ...explainHeaders(expected.headers, headers, values),
    ...explainBody(expected.body, text, values),
  ]
  if (wrong.length > 0) return [...wrong, `the answer was ${String(status)} ${JSON.stringify(text)}`]
  return Object.entries(expected.capture ?? {}).flatMap(([name, pointer]) => {
    const value = valueAt(parseJson(text)?.value, pointer)
    if (value === undefined) return [`nothing at ${pointer} of ${JSON.stringify(text)}`]
    values.set(name, value)
    return []
  })
}

/** Opens a websocket, or sees it refused where that is expected. */
export async function runWs(step: WsStep, world: ShellWorld): Promise<readonly string[]> {
  const expected = wantedOf(step)
  const outcome = await dial({
    address: fillTemplate(step.uri, world.values),
    headers: headerLines(step.headers, world.values),
    withinMs: patienceMs,
  })
  if (outcome.kind === 'unanswered') return ['expected an answer to the upgrade, got none']
  if (outcome.kind === 'open') world.addConnection(step.as, new WebsocketConnection(outcome.peer))
  const { status, headers, body } = outcome.response
  return [
    ...explainStatus(expected.refused ?? 101, status),
    ...explainHeaders(expected.headers, headers, world.values),
    ...explainBody(expected.body, body.toString(), world.values),
  ]
}

/** Waits for the end and looks at how and when it came. */
export async function runClosed(step: ClosedStep, world: ShellWorld): Promise<readonly string[]> {
  const connection = world.connection(step.on)
  const expected = wantedOf(step)
  const end = await connection.whenEnded(expected.within ?? patienceMs)
  if (end === undefined) return ['expected the connection to end, but it is open']
  const afterMs = end.atMs - connection.openedAtMs
  const codes: readonly CloseExpectation[] | undefined =
    expected.code === undefined ? undefined : [expected.code].flat()
  return [
    ...(codes?.includes(end.code) === false
      ? [`expected an end with ${codes.map(String).join(' or ')}, got ${String(end.code)}`]
      : []),
    ...(expected.notBefore !== undefined && afterMs < expected.notBefore
      ? [`too early: ${String(Math.round(afterMs))} ms after opening`]
      : []),
  ]
}

/** Waits for a ping, or sends one and wants its pong. */
export async function runPing(step: PingStep, world: ShellWorld): Promise<readonly string[]> {
  const { peer } = world.websocket(step.on)
  const { within = step.within ?? patienceMs, notBefore = 0 } = wantedOf(step)
  if (step.send === undefined) {
    const ping = await peer.pings.take(within)
    if (ping === undefined) return [`expected a ping within ${String(within)} ms, got none`]
    const afterMs = ping.atMs - peer.openedAtMs
    return afterMs < notBefore ? [`ping too early: ${String(Math.round(afterMs))} ms after opening`] : []
  }
  peer.ping(Buffer.from(step.send))
  const pong = await peer.pongs.take(within)
  return pong?.toString() === step.send ? [] : ['expected a pong with the same data']
}

/** Takes a request of the program under test and answers it. */
export async function runAccept(step: AcceptStep, world: ShellWorld): Promise<readonly string[]> {
  const expected = wantedOf(step)
  const request = fillTemplate(step.request, world.values)
  const withinMs = Math.max(expected.within ?? 0, step.within ?? 0, patienceMs)
  const held = await world.fake.take(request, withinMs)
  if (held === undefined)
    return [`expected ${request}, got [${world.fake.waiting.join(', ') || 'no request'}]`]
  const sinceMs = held.atMs - (world.marks.get(step.since ?? '') ?? 0)
  const { notBefore = 0, notAfter = Infinity } = expected
  if (step.reply === 'cut') held.cut()
  else if (step.reply === 'upgrade')
    world.addConnection(step.as ?? '', new WebsocketConnection(held.upgrade()))
  else held.answer(step.reply.status, fillTemplate(step.reply.body, world.values))
  return [
    ...explainHeaders(expected.headers, held.headers, world.values),
    ...explainBody(expected.body, held.body, world.values),
    ...(step.since !== undefined && (sinceMs < notBefore || sinceMs > notAfter)
      ? [`the request came after ${String(Math.round(sinceMs))} ms`]
      : []),
  ]
}

/** No request comes for a while. */
export async function runNoRequest(step: NoRequestStep, world: ShellWorld): Promise<readonly string[]> {
  await sleep(step.ms)
  return world.fake.waiting.map((request) => `expected no request, got ${request}`)
}

/** Dials the client under test as ssh does. */
export async function runDial(step: PortStep, world: ShellWorld): Promise<readonly string[]> {
  world.addConnection(step.as, await TcpConnection.dial(Number(fillTemplate(step.port, world.values))))
  return []
}

/** The next connection to the sshd that the case plays. */
export async function runTake(step: TakeStep, world: ShellWorld): Promise<readonly string[]> {
  const taken = await world.take(step.from, patienceMs)
  if (taken === undefined) return ['expected a connection to sshd, got none']
  world.addConnection(step.as, taken)
  return []
}

/** The text for `Authorization` or for a variable. Throws `GOLDEN_CASE` for an algorithm without signature. */
export function tokenText(spec: string | ShellTokenSpec, values: TemplateValues): string {
  if (typeof spec === 'string') return fillTemplate(spec, values)
  const { claims, secret = '{{secret}}', alg = 'HS256', before = '' } = spec
  const filled = Object.entries(claims).map(([name, claim]) => [name, fillClaim(claim, values)] as const)
  const signed = [{ alg, typ: 'JWT' }, Object.fromEntries(filled)]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = alg.startsWith('HS')
    ? sign(signed, alg, fillTemplate(secret, values))
    : (spec.signature ?? '')
  return `${before}${signed}.${signature}`
}

function fillClaim(claim: unknown, values: TemplateValues): unknown {
  if (Array.isArray(claim)) return claim.map((each: unknown) => fillClaim(each, values))
  return typeof claim === 'string' ? (secondsFromNow(claim) ?? fillTemplate(claim, values)) : claim
}

function headerLines(
  headers: Readonly<Record<string, string>> | undefined,
  values: TemplateValues,
): HeaderLine[] {
  return Object.entries(headers ?? {}).map(([name, text]) => [name, fillTemplate(text, values)])
}

function explainHeaders(
  expected: Readonly<Record<string, string | null>> | undefined,
  actual: ReadonlyMap<string, string>,
  values: KeptValues,
): readonly string[] {
  return Object.entries(expected ?? {}).flatMap(([name, want]) => {
    const got = actual.get(name.toLowerCase())
    const isRight =
      want === null ? got === undefined : got !== undefined && matchExpectedText(want, got, values)
    return isRight ? [] : [`header ${name}: expected ${want ?? 'none'}, got ${got ?? 'none'}`]
  })
}

function explainBody(expected: string | undefined, actual: string, values: KeptValues): readonly string[] {
  return expected === undefined || matchExpectedText(expected, actual, values)
    ? []
    : [`body: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`]
}

function valueAt(value: unknown, pointer: string): string | undefined {
  const found = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null
          ? new Map<string, unknown>(Object.entries(inner)).get(key)
          : undefined,
      value,
    )
  if (found === undefined) return undefined
  if (typeof found !== 'string') throw new AppError('GOLDEN_CASE', `no text at ${pointer}`)
  return found
}
