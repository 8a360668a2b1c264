import { AppError } from '@relay/common/errors'
import { type CaseWorld, patienceMs } from './case-world.ts'
import { explainOutcome, parseJson } from './explain-response.ts'
import { type ConnectStep, expectationOf, type HttpStep } from './golden-case.ts'
import { makeMessage } from './payload.ts'
import { encodeChunk, exchange, type HeaderLine, type HttpOutcome, lastChunk } from './raw-http.ts'
import { fillTemplate } from './template.ts'
import { mintToken, type TokenSpec } from './token-mint.ts'

/** Sends a request and compares the answer. */
export async function runHttp(step: HttpStep, world: CaseWorld): Promise<readonly string[]> {
  for (const [name, spec] of Object.entries(step.mint ?? {}))
    world.values.set(name, mintToken(spec, world.values))
  const body = encodeBody(step, world)
  const outcome = await exchange(
    {
      port: world.portOf(step.to),
      method: step.method,
      path: fillTemplate(step.path, world.values),
      headers: requestHeaders(step, body, world),
      ...(body === undefined ? {} : { body }),
    },
    patienceMs,
  )
  const expected = expectationOf(step, world.side)
  const problems = expected === undefined ? [] : explainOutcome(expected, outcome, world.values)
  return problems.length > 0 ? problems : saveValues(step, outcome, world)
}

/** Exchanges a token for the one-time address, as every client does. Throws `GOLDEN_EXCHANGE` when that is refused. */
export async function exchangeToken(token: TokenSpec, world: CaseWorld): Promise<string> {
  const topic = token.claims?.['topic']
  if (typeof topic !== 'string') throw new AppError('GOLDEN_CASE', 'a token to connect with needs a topic')
  const outcome = await exchange(
    {
      port: world.portOf('access'),
      method: 'POST',
      path: `/session/${encodeURIComponent(fillTemplate(topic, world.values))}`,
      headers: [
        ['Authorization', mintToken(token, world.values)],
        ['Content-Length', '0'],
        ['Connection', 'close'],
      ],
    },
    patienceMs,
  )
  const answer = outcome.kind === 'answered' ? outcome.response.body.toString() : outcome.kind
  const uri =
    outcome.kind === 'answered' && outcome.response.status === 200 ? textAt(answer, 'uri') : undefined
  if (uri !== undefined) return uri
  const status = outcome.kind === 'answered' ? String(outcome.response.status) : 'none'
  throw new AppError('GOLDEN_EXCHANGE', `POST of the token: status ${status}, ${JSON.stringify(answer)}`)
}

/** The headers of a connect step as lines. */
export function headerLines(
  headers: ConnectStep['headers'] | HttpStep['headers'],
  world: CaseWorld,
): HeaderLine[] {
  return Object.entries(headers ?? {}).flatMap(([name, texts]) =>
    [texts].flat().map((text) => [name, fillTemplate(text, world.values)] as const),
  )
}

function requestHeaders(step: HttpStep, body: Buffer | undefined, world: CaseWorld): readonly HeaderLine[] {
  const given = headerLines(step.headers, world)
  const has = (name: string): boolean => given.some(([each]) => each.toLowerCase() === name.toLowerCase())
  const lines: HeaderLine[] =
    step.token === undefined ? [] : [['Authorization', mintToken(step.token, world.values)]]
  lines.push(...given)
  if (step.chunked === true) lines.push(['Transfer-Encoding', 'chunked'])
  else if (body !== undefined) lines.push(['Content-Length', String(body.length)])
  // What Go's client does for methods that usually have a body.
  else if (step.method === 'POST' || step.method === 'PUT') lines.push(['Content-Length', '0'])
  if (step.keepAlive !== true && !has('Connection')) lines.push(['Connection', 'close'])
  return lines
}

function encodeBody(step: HttpStep, world: CaseWorld): Buffer | undefined {
  if (step.body === undefined && step.bodyBytes === undefined) return undefined
  const bytes = (step.bodyBytes ?? []).map((spec) => makeMessage(spec, world.values).data)
  const body = Buffer.concat([Buffer.from(fillTemplate(step.body ?? '', world.values)), ...bytes])
  if (step.chunked !== true) return body
  return body.length === 0 ? lastChunk : Buffer.concat([encodeChunk(body), lastChunk])
}

function saveValues(step: HttpStep, outcome: HttpOutcome, world: CaseWorld): readonly string[] {
  // A case may accept a refusal here; the steps that use the value then belong to the other side.
  if (step.save === undefined || outcome.kind !== 'answered' || outcome.response.status !== 200) return []
  for (const [name, key] of Object.entries(step.save)) {
    const value = textAt(outcome.response.body.toString(), key)
    if (value === undefined) return [`json: no text under ${JSON.stringify(key)} to save`]
    world.values.set(name, value)
    for (const [suffix, part] of Object.entries(addressParts(value)))
      world.values.set(`${name}${suffix}`, part)
  }
  return []
}

/** What cases use of a saved address: the path with the query, the query without its mark, the code. */
export function addressParts(address: string): Readonly<Record<'Path' | 'Query' | 'Code', string>> {
  const path = /^[a-z]+:\/\/[^/?]*([^]*)$/.exec(address)?.[1] ?? ''
  const query = path.includes('?') ? path.slice(path.indexOf('?') + 1) : ''
  return { Path: path, Query: query, Code: /(?:^|&)code=([^&]*)/.exec(query)?.[1] ?? '' }
}

function textAt(text: string, key: string): string | undefined {
  const parsed = parseJson(text)?.value
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const value = new Map<string, unknown>(Object.entries(parsed)).get(key)
  return typeof value === 'string' ? value : undefined
}
