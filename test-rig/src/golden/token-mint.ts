import { createHmac } from 'node:crypto'
import { AppError } from '@relay/common/errors'
import { fillTemplate, secondsFromNow, type TemplateValues } from './template.ts'

/** How a case describes a token. Anything wrong about it is wrong on purpose. */
export interface TokenSpec {
  readonly claims?: Readonly<Record<string, unknown>>
  /** HMAC key; the server's when absent. */
  readonly secret?: string
  /** HS256 when absent; `none` leaves the signature empty. */
  readonly alg?: string
  /** The whole header in place of the usual one; what it names as `alg` does not change how we sign. */
  readonly header?: Readonly<Record<string, unknown>>
  /** Dates as texts of digits. */
  readonly quoteTimes?: boolean
  /** Text in front, such as `Bearer `. */
  readonly before?: string
  /** Text behind, such as the padding that a JWT must not have. */
  readonly after?: string
  /** The text itself in place of a token. */
  readonly literal?: string
}

const hashOfAlgorithm: ReadonlyMap<string, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
])

/** Makes the token now: `now+60` in a claim is counted from this second. */
export function mintToken(spec: TokenSpec, values: TemplateValues): string {
  const before = spec.before ?? ''
  if (spec.literal !== undefined) return before + fillTemplate(spec.literal, values)
  const alg = spec.alg ?? 'HS256'
  const header = encodeJson(spec.header ?? { alg, typ: 'JWT' })
  const signed = `${header}.${encodeJson(fillClaims(spec, values))}`
  const signature = sign(signed, alg, fillTemplate(spec.secret ?? '{{secret}}', values))
  return `${before}${signed}.${signature}${spec.after ?? ''}`
}

/** The signature part of a compact JWS; empty for `none`. */
export function sign(signed: string, alg: string, secret: string): string {
  if (alg === 'none') return ''
  const hash = hashOfAlgorithm.get(alg)
  if (hash === undefined) throw new AppError('GOLDEN_CASE', `cannot sign with alg ${JSON.stringify(alg)}`)
  return createHmac(hash, secret).update(signed).digest('base64url')
}

function fillClaims(spec: TokenSpec, values: TemplateValues): Readonly<Record<string, unknown>> {
  const filled = Object.entries(spec.claims ?? {}).map(([name, claim]) => {
    const seconds = typeof claim === 'string' ? secondsFromNow(claim) : undefined
    if (seconds !== undefined) return [name, spec.quoteTimes === true ? String(seconds) : seconds] as const
    return [name, fillDeep(claim, values)] as const
  })
  return Object.fromEntries(filled)
}

function fillDeep(claim: unknown, values: TemplateValues): unknown {
  if (typeof claim === 'string') return fillTemplate(claim, values)
  if (Array.isArray(claim)) return claim.map((element: unknown) => fillDeep(element, values))
  return claim
}

function encodeJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
