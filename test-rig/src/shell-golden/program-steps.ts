import { setTimeout as sleep } from 'node:timers/promises'
import { ChildProgram } from '../golden/child-program.ts'
import { parseJson } from '../golden/explain-response.ts'
import { sign } from '../golden/token-mint.ts'
import { fillTemplate } from '../golden/template.ts'
import { whenListening } from '../shell/listening-port.ts'
import { shellCommand } from '../shell/shell-command.ts'
import { tokenText } from './connection-steps.ts'
import { explainExpectedJson, matchExpectedText } from './match-expected.ts'
import {
  type AliveStep,
  type ExitedStep,
  type JwtFacts,
  type SignalStep,
  type StartStep,
  wantedOf,
} from './shell-case.ts'
import { patienceMs, type ShellWorld } from './shell-world.ts'

/** A cold start takes a second; on a machine that does much else, several. */
const startWithinMs = 60_000

/** Starts a program, and waits until it listens where it must. */
export async function runStart(step: StartStep, world: ShellWorld): Promise<readonly string[]> {
  const env = Object.fromEntries(
    Object.entries(step.env).map(([name, text]) => [name, tokenText(text, world.values)]),
  )
  const program = new ChildProgram(shellCommand(world.generation, step.program), env)
  world.addProgram(step.as, program)
  const ports = (step.ready ?? []).map((port) => Number(fillTemplate(port, world.values)))
  await whenListening(program, ports, startWithinMs)
  return []
}

export function runSignal(step: SignalStep, world: ShellWorld): readonly string[] {
  world.program(step.program).signal(step.signal)
  return []
}

/** Waits for the end of a program and looks at what it left. */
export async function runExited(step: ExitedStep, world: ShellWorld): Promise<readonly string[]> {
  const program = world.program(step.program)
  const exit = await program.whenExited(startWithinMs)
  if (exit === undefined) return ['expected the program to end, but it runs']
  const { code, stdout, jwt } = wantedOf(step)
  const codes = code === undefined ? [exit.code] : [code].flat()
  return [
    ...(codes.includes(exit.code)
      ? []
      : [`exit: expected ${codes.map(String).join(' or ')}; ${program.describe()}`]),
    ...(stdout === undefined || matchExpectedText(stdout, program.stdout, world.values)
      ? []
      : [`stdout: expected ${JSON.stringify(stdout)}, got ${JSON.stringify(program.stdout)}`]),
    ...(jwt === undefined ? [] : explainJwt(jwt, program.stdout.trim(), world)),
  ]
}

/** The program runs, now or after a while. */
export async function runAlive(step: AliveStep, world: ShellWorld): Promise<readonly string[]> {
  await sleep(step.ms ?? 0)
  const program = world.program(step.program)
  return program.exit === undefined ? [] : [`died: ${program.describe()}`]
}

function explainJwt(expected: JwtFacts, token: string, world: ShellWorld): readonly string[] {
  const [header = '', payload = '', signature] = token.split('.')
  const decode = (part: string): unknown => parseJson(Buffer.from(part, 'base64url').toString())?.value
  const claims = new Map<string, unknown>(Object.entries(decode(payload) ?? {}))
  const [iat, exp] = [Number(claims.get('iat')), Number(claims.get('exp'))]
  const ageS = Date.now() / 1000 - iat
  // The program took its time to start; its own clock read is what `age` judges.
  const isFresh = ageS >= 0 && ageS <= expected.age + patienceMs / 1000
  const secret = world.values.get('secret') ?? ''
  return [
    explainExpectedJson(expected.header, decode(header), world.values),
    explainExpectedJson(expected.claims, decode(payload), world.values),
    exp - iat === expected.lifetime ? undefined : `lifetime: got ${String(exp - iat)} s`,
    isFresh ? undefined : `iat lies ${String(Math.round(ageS))} s in the past`,
    claims.get('nbf') === iat ? undefined : 'nbf differs from iat',
    signature === sign(`${header}.${payload}`, 'HS256', secret)
      ? undefined
      : 'the signature is of another secret',
  ].filter((problem) => problem !== undefined)
}
