import { setTimeout as sleep } from 'node:timers/promises'
import { type CaseWorld, patienceMs } from './case-world.ts'
import { explainHeaders, explainResponse, explainStatus } from './explain-response.ts'
import {
  type ClosedStep,
  type CloseStep,
  type ConnectStep,
  type DialStep,
  type Expectation,
  type ExpectPingStep,
  expectationOf,
  type OpenStep,
  type PingStep,
  type TerminateStep,
} from './golden-case.ts'
import { exchangeToken, headerLines } from './http-steps.ts'
import type { HttpResponse } from './http-response-parser.ts'
import { fillTemplate, matchText, type TemplateValues } from './template.ts'
import { dial, type DialOutcome } from './websocket-dial.ts'

/** The old relay registers a client some time after its 101; transcripts pause for that. */
const defaultSettleMs = 80

/** Opens a websocket, or sees it refused where that is expected. */
export async function runConnect(step: ConnectStep, world: CaseWorld): Promise<readonly string[]> {
  const uri = step.token === undefined ? (step.uri ?? '') : await exchangeToken(step.token, world)
  const outcome = await dial({
    address: fillTemplate(uri, world.values),
    headers: headerLines(step.headers, world),
    withinMs: patienceMs,
    ...(step.protocols === undefined ? {} : { protocols: step.protocols }),
    ...(step.offerDeflate === undefined ? {} : { offerDeflate: step.offerDeflate }),
    ...(step.autoPong === undefined ? {} : { autoPong: step.autoPong }),
  })
  if (outcome.kind === 'open') world.addPeer(step.peer, outcome.peer)
  const problems = explainDial(expectationOf(step, world.side) ?? { open: true }, outcome, world.values)
  if (outcome.kind === 'open') await sleep(step.settleMs ?? defaultSettleMs)
  return problems
}

/** Everything in which a dial went otherwise than expected. */
export function explainDial(
  expected: Expectation,
  outcome: DialOutcome,
  values: TemplateValues,
): readonly string[] {
  const wantsRefusal = expected.status !== undefined && ![expected.status].flat().includes(101)
  if (outcome.kind === 'unanswered') return ['expected an answer to the upgrade, got none']
  if (outcome.kind === 'refused') {
    return wantsRefusal
      ? explainResponse(expected, outcome.response, values)
      : [`expected an open websocket, got status ${String(outcome.response.status)}`]
  }
  return wantsRefusal
    ? [`expected a refusal with ${[expected.status].flat().join(' or ')}, got an open websocket`]
    : explainUpgrade(expected, outcome.response, values)
}

function explainUpgrade(
  expected: Expectation,
  response: HttpResponse,
  values: TemplateValues,
): readonly string[] {
  const compare = (what: string, want: string | undefined, name: string): readonly string[] => {
    const got = response.headers.get(name) ?? ''
    return want === undefined || want === got
      ? []
      : [`${what}: expected ${JSON.stringify(want)}, got ${JSON.stringify(got)}`]
  }
  return [
    ...compare('protocol', expected.protocol, 'sec-websocket-protocol'),
    ...compare('extensions', expected.extensions, 'sec-websocket-extensions'),
    ...explainHeaders(expected.headers ?? {}, response.headers, values),
  ]
}

/** Waits for the end of a connection and looks at how and when it came. */
export async function runClosed(step: ClosedStep, world: CaseWorld): Promise<readonly string[]> {
  const peer = world.peer(step.peer)
  const withinMs = step.withinMs ?? patienceMs
  const fact = await peer.whenClosed(withinMs)
  if (fact === undefined)
    return [`expected the connection to end within ${String(withinMs)} ms, but it is open`]
  const expected = expectationOf(step, world.side) ?? {}
  const { reason } = expected
  const wrongReason =
    reason === undefined || matchText(reason, fact.reason, world.values)
      ? []
      : [`reason: expected ${JSON.stringify(reason)}, got ${JSON.stringify(fact.reason)}`]
  return [
    ...explainStatus(expected.code, fact.code, 'close code'),
    ...wrongReason,
    ...explainMoment(expected, fact.atMs - peer.openedAtMs),
  ]
}

/** The connection must be open, now or still after a while. */
export async function runOpen(step: OpenStep, world: CaseWorld): Promise<readonly string[]> {
  await sleep(step.forMs ?? 0)
  const fact = world.peer(step.peer).closeFact
  return fact === undefined ? [] : [`expected an open connection, but it ended with ${String(fact.code)}`]
}

/** Starts the closing handshake. */
export function runClose(step: CloseStep, world: CaseWorld): readonly string[] {
  world.peer(step.peer).close(step.code, step.reason)
  return []
}

/** Ends the TCP connection without a word. */
export function runTerminate(step: TerminateStep, world: CaseWorld): readonly string[] {
  world.peer(step.peer).terminate()
  return []
}

/** Sends a ping and wants the pong with its data; pongs for earlier pings are passed over. */
export async function runPing(step: PingStep, world: CaseWorld): Promise<readonly string[]> {
  const peer = world.peer(step.peer)
  const giveUpAtMs = performance.now() + (step.withinMs ?? patienceMs)
  const others: string[] = []
  peer.ping(Buffer.from(step.data))
  for (;;) {
    const pong = await peer.pongs.take(Math.max(0, giveUpAtMs - performance.now()))
    if (pong === undefined)
      return [`expected a pong with ${JSON.stringify(step.data)}, got [${others.join()}]`]
    if (pong.toString() === step.data) return []
    others.push(JSON.stringify(pong.toString()))
  }
}

/** Waits for a ping of the other end. */
export async function runExpectPing(step: ExpectPingStep, world: CaseWorld): Promise<readonly string[]> {
  const peer = world.peer(step.peer)
  const ping = await peer.pings.take(step.withinMs ?? patienceMs)
  if (ping === undefined) return ['expected a ping, got none']
  return explainMoment(expectationOf(step, world.side) ?? {}, ping.atMs - peer.openedAtMs)
}

/** Waits until the host under test dials the scripted relay; its websocket becomes a peer. */
export async function runDial(step: DialStep, world: CaseWorld): Promise<readonly string[]> {
  const withinMs = step.withinMs ?? patienceMs
  const incoming = await world.fakeRelay.take(step.path, withinMs)
  if (incoming === undefined)
    return [`expected a dial of ${step.path} within ${String(withinMs)} ms, got none`]
  world.addPeer(step.peer, incoming.peer)
  const expected = expectationOf(step, world.side) ?? {}
  const wrongPath =
    expected.path === undefined || matchText(expected.path, incoming.path, world.values)
      ? []
      : [`path: expected ${JSON.stringify(expected.path)}, got ${JSON.stringify(incoming.path)}`]
  return [...wrongPath, ...explainHeaders(expected.headers ?? {}, incoming.headers, world.values)]
}

function explainMoment({ afterMs, beforeMs }: Expectation, atMs: number): readonly string[] {
  const at = `${String(Math.round(atMs))} ms after opening`
  if (afterMs !== undefined && atMs < afterMs)
    return [`too early: ${at}, expected from ${String(afterMs)} ms on`]
  if (beforeMs !== undefined && atMs > beforeMs)
    return [`too late: ${at}, expected before ${String(beforeMs)} ms`]
  return []
}
