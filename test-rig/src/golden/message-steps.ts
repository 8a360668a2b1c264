import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@relay/common/errors'
import { type CaseWorld, patienceMs } from './case-world.ts'
import { parseJson } from './explain-response.ts'
import {
  type BurstSpec,
  type DrainStep,
  type ExpectBurstStep,
  type ExpectBytesStep,
  type ExpectJsonStep,
  type ExpectStep,
  type Expectation,
  expectationOf,
  type SendStep,
  type SilentStep,
} from './golden-case.ts'
import { explainJsonMismatch, explainSetMismatch } from './match-json.ts'
import { describeMessage, explainMessageMismatch, makeMessage, type Message } from './payload.ts'
import { fillTemplate, type TemplateValues } from './template.ts'
import type { WebsocketPeer } from './websocket-peer.ts'

/** Sends what the step describes. */
export function runSend(step: SendStep, world: CaseWorld): readonly string[] {
  const peer = world.peer(step.peer)
  if (step.raw !== undefined) peer.sendRaw(Buffer.from(step.raw, 'hex'))
  else if (step.burst !== undefined) peer.send(...makeBurst(step.burst, world.values))
  else if (step.fragments !== undefined) {
    const parts = step.fragments.map((spec) => makeMessage(spec, world.values))
    const type = step.as ?? 'text'
    peer.sendFragments(
      parts.map(({ data }) => ({ type, data })),
      { pingBetween: step.pingBetween ?? false },
    )
  } else if (step.message !== undefined) peer.send(makeMessage(step.message, world.values))
  else throw new AppError('GOLDEN_CASE', 'send needs message, fragments, burst or raw')
  return []
}

/** The next messages, in order, by type and content. */
export async function runExpect(step: ExpectStep, world: CaseWorld): Promise<readonly string[]> {
  const peer = world.peer(step.peer)
  const expected = expectationOf(step, world.side)?.messages
  const specs = typeof expected === 'object' ? expected : step.messages
  for (const [index, spec] of specs.entries()) {
    const message = await peer.messages.take(step.withinMs ?? patienceMs)
    const problem =
      message === undefined
        ? `expected ${JSON.stringify(spec)}, got ${describeAbsence(peer)}`
        : explainMessageMismatch(spec, message, world.values)
    if (problem !== undefined) return [`message ${String(index + 1)}: ${problem}`]
  }
  return []
}

/** A JSON message that matches comes in time; others before it are passed over. */
export async function runExpectJson(step: ExpectJsonStep, world: CaseWorld): Promise<readonly string[]> {
  const peer = world.peer(step.peer)
  const expected = expectationOf(step, world.side) ?? {}
  const giveUpAtMs = performance.now() + (step.withinMs ?? patienceMs)
  let lastProblem = 'no message came'
  for (;;) {
    const message = await peer.messages.take(Math.max(0, giveUpAtMs - performance.now()))
    if (message === undefined) return [`expected a JSON message in time; ${lastProblem}`]
    const problem = explainJsonMessage(expected, message, world.values)
    if (problem === undefined) return []
    lastProblem = `the last one: ${problem}`
  }
}

function explainJsonMessage(
  expected: Expectation,
  message: Message,
  values: TemplateValues,
): string | undefined {
  if (expected.text === true && message.type !== 'text')
    return `expected text, got ${describeMessage(message)}`
  const parsed = parseJson(message.data.toString())
  if (parsed === undefined) return `expected JSON, got ${describeMessage(message)}`
  const subset = expected.subset ?? false
  if (expected.json !== undefined) {
    const problem = explainJsonMismatch(expected.json, parsed.value, { values, subset })
    if (problem !== undefined) return problem
  }
  if (expected.jsonHas === undefined) return undefined
  return explainSetMismatch(expected.jsonHas, parsed.value, { values, subset, part: true })
}

/** Many messages sent at once arrive: each alone, or joined, as expected. */
export async function runExpectBurst(step: ExpectBurstStep, world: CaseWorld): Promise<readonly string[]> {
  const peer = world.peer(step.peer)
  const wanted = makeBurst(step.burst, world.values).map(({ data }) => data)
  const giveUpAtMs = performance.now() + (step.withinMs ?? patienceMs)
  const { atLeast, messages } = expectationOf(step, world.side) ?? { messages: 'separate' }
  if (atLeast !== undefined) {
    const few = await collect(peer, giveUpAtMs, (got) => got.length >= atLeast)
    return few.length >= atLeast ? [] : [`expected ${String(atLeast)} messages, got ${String(few.length)}`]
  }
  const whole = Buffer.concat(wanted)
  const got = await collect(peer, giveUpAtMs, (some) => byteLength(some) >= whole.length)
  const isSame = Buffer.concat(got.map(({ data }) => data)).equals(whole)
  if (!isSame)
    return [`expected ${String(wanted.length)} messages of ${String(whole.length)} bytes, got ${count(got)}`]
  if (messages === 'merged' && got.length >= wanted.length)
    return ['expected messages to be joined, none was']
  if (messages !== 'separate') return []
  const wrong = got.findIndex(({ data }, index) => wanted[index]?.equals(data) !== true)
  if (wrong !== -1) return [`expected messages kept apart, but number ${String(wrong)} is not as it was sent`]
  return got.length === wanted.length ? [] : [`expected ${String(wanted.length)} messages, got ${count(got)}`]
}

/** The bytes of binary messages, however they are cut. */
export async function runExpectBytes(step: ExpectBytesStep, world: CaseWorld): Promise<readonly string[]> {
  const whole = Buffer.concat(step.bytes.map((spec) => makeMessage(spec, world.values).data))
  const giveUpAtMs = performance.now() + (step.withinMs ?? patienceMs)
  const got = await collect(world.peer(step.peer), giveUpAtMs, (some) => byteLength(some) >= whole.length)
  if (!Buffer.concat(got.map(({ data }) => data)).equals(whole)) {
    return [`expected ${String(whole.length)} bytes, got other or fewer: ${count(got)}`]
  }
  const { minMessages = 1, maxMessages = Infinity } = expectationOf(step, world.side) ?? {}
  const isCountRight = got.length >= minMessages && got.length <= maxMessages
  return [
    ...(got.some(({ type }) => type === 'text') ? ['expected binary messages only, got text'] : []),
    ...(isCountRight
      ? []
      : [`expected ${String(minMessages)} to ${String(maxMessages)} messages, got ${count(got)}`]),
  ]
}

/** Nothing comes for a while. */
export async function runSilent(step: SilentStep, world: CaseWorld): Promise<readonly string[]> {
  const peer = world.peer(step.peer)
  await sleep(step.forMs)
  const heard = peer.messages.drain().map((message) => `expected silence, got ${describeMessage(message)}`)
  const ended = step.mayClose === true ? undefined : peer.closeFact
  return ended === undefined
    ? heard
    : [...heard, `expected an open connection, it ended with ${String(ended.code)}`]
}

/** Throws away what comes for a while. */
export async function runDrain(step: DrainStep, world: CaseWorld): Promise<readonly string[]> {
  await sleep(step.forMs)
  world.peer(step.peer).messages.drain()
  return []
}

function makeBurst({ count: howMany, text }: BurstSpec, values: TemplateValues): readonly Message[] {
  return Array.from({ length: howMany }, (_unused, index) => ({
    type: 'text',
    data: Buffer.from(fillTemplate(text, new Map([...values, ['i', String(index)]]))),
  }))
}

async function collect(
  peer: WebsocketPeer,
  giveUpAtMs: number,
  isEnough: (got: readonly Message[]) => boolean,
): Promise<readonly Message[]> {
  const got: Message[] = []
  while (!isEnough(got)) {
    const message = await peer.messages.take(Math.max(0, giveUpAtMs - performance.now()))
    if (message === undefined) break
    got.push(message)
  }
  return got
}

function byteLength(messages: readonly Message[]): number {
  return messages.reduce((sum, { data }) => sum + data.length, 0)
}

function count(messages: readonly Message[]): string {
  return `${String(messages.length)} messages of ${String(byteLength(messages))} bytes`
}

function describeAbsence({ closeFact }: WebsocketPeer): string {
  return closeFact === undefined ? 'nothing' : `nothing, the connection ended with ${String(closeFact.code)}`
}
