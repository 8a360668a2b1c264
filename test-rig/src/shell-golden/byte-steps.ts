import { setTimeout as sleep } from 'node:timers/promises'
import { describeMessage, type Message } from '../golden/payload.ts'
import { parseJson } from '../golden/explain-response.ts'
import type { CaseConnection } from './case-connection.ts'
import { explainExpectedJson, matchExpectedText } from './match-expected.ts'
import { payloadBytes } from './payload-bytes.ts'
import {
  type QuietStep,
  type ReadStep,
  type ReceiveStep,
  type SendStep,
  type ShellExpectation,
  wantedOf,
} from './shell-case.ts'
import { patienceMs, type ShellWorld } from './shell-world.ts'

/** Sends what the step describes, as often as it says. */
export function runSend(step: SendStep, world: ShellWorld): readonly string[] {
  if (step.raw !== undefined) {
    world.websocket(step.on).peer.sendRaw(Buffer.from(step.raw, 'hex'))
    return []
  }
  const data = payloadBytes(step, world.values)
  const type = step.type ?? 'binary'
  for (let count = 0; count < (step.times ?? 1); count += 1) {
    if (step.fragments === undefined) world.connection(step.on).send({ type, data })
    else world.websocket(step.on).peer.sendFragments(cut(data, type, step.fragments), { pingBetween: false })
  }
  return []
}

function cut(data: Buffer, type: 'text' | 'binary', lengths: readonly number[]): readonly Message[] {
  let from = 0
  return lengths.map((length) => {
    const piece = data.subarray(from, from + length)
    from += length
    return { type, data: piece }
  })
}

/** The next message, or the next that matches with `until`. */
export async function runReceive(step: ReceiveStep, world: ShellWorld): Promise<readonly string[]> {
  const connection = world.connection(step.on)
  const giveUpAtMs = performance.now() + Math.max(step.within ?? 0, patienceMs)
  let problem = 'no message came'
  for (;;) {
    const message = await connection.messages.take(Math.max(0, giveUpAtMs - performance.now()))
    if (message === undefined) return [`${problem}; ${describeEnd(connection)}`]
    const wrong = explainMessage(wantedOf(step), message, world)
    if (wrong === undefined) return []
    if (step.until !== true) return [wrong]
    problem = wrong
  }
}

function explainMessage(expected: ShellExpectation, message: Message, world: ShellWorld): string | undefined {
  const got = describeMessage(message)
  if (expected.type !== undefined && expected.type !== message.type)
    return `expected ${expected.type}, got ${got}`
  if (expected.json !== undefined) {
    const parsed = parseJson(message.data.toString())
    return parsed === undefined
      ? `expected JSON, got ${got}`
      : explainExpectedJson(expected.json, parsed.value, world.values)
  }
  if (expected.text !== undefined) {
    const isSame = matchExpectedText(expected.text, message.data.toString(), world.values)
    return isSame ? undefined : `expected ${JSON.stringify(expected.text)}, got ${got}`
  }
  const wanted = payloadBytes(expected, world.values)
  return wanted.equals(message.data)
    ? undefined
    : `expected ${describeMessage({ type: 'binary', data: wanted })}, got ${got}`
}

/** These bytes, however they are cut into messages. What is left of the last message is for the next step. */
export async function runRead(step: ReadStep, world: ShellWorld): Promise<readonly string[]> {
  const connection = world.connection(step.on)
  const expected = wantedOf(step)
  const wanted = payloadBytes(expected, world.values)
  const giveUpAtMs = performance.now() + Math.max(expected.within ?? 0, patienceMs)
  const pieces = [world.rests.get(connection) ?? Buffer.alloc(0)]
  let length = pieces[0]?.length ?? 0
  while (length < wanted.length) {
    const message = await connection.messages.take(Math.max(0, giveUpAtMs - performance.now()))
    if (message === undefined) break
    if (message.type === 'text') return [`expected binary, got ${describeMessage(message)}`]
    pieces.push(message.data)
    length += message.data.length
  }
  const got = Buffer.concat(pieces)
  world.rests.set(connection, got.subarray(wanted.length))
  if (got.subarray(0, wanted.length).equals(wanted)) return []
  return [
    `expected ${describeMessage({ type: 'binary', data: wanted })}, got ${describeMessage({ type: 'binary', data: got })}; ${describeEnd(connection)}`,
  ]
}

/** Nothing with content comes for a while, and the connection stays open. */
export async function runQuiet(step: QuietStep, world: ShellWorld): Promise<readonly string[]> {
  const connection = world.connection(step.on)
  await sleep(step.ms)
  const heard = connection.messages.drain().filter(({ data }) => data.length > 0)
  const { end } = connection
  return [
    ...heard.map((message) => `expected silence, got ${describeMessage(message)}`),
    ...(end === undefined || wantedOf(step).mayEnd === true
      ? []
      : [`expected an open connection, it ended with ${String(end.code)}`]),
  ]
}

function describeEnd({ end }: CaseConnection): string {
  return end === undefined ? 'the connection is open' : `it ended with ${String(end.code)}`
}
