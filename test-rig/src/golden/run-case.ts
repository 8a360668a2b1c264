import { describeError } from '@relay/common/errors'
import { CaseWorld } from './case-world.ts'
import {
  runClose,
  runClosed,
  runConnect,
  runDial,
  runExpectPing,
  runOpen,
  runPing,
  runTerminate,
} from './connection-steps.ts'
import { FakeAccess } from './fake-access.ts'
import { FakeRelay } from './fake-relay.ts'
import type { FreePorts } from './free-ports.ts'
import type { GoldenCase, Side, Step, StepKind } from './golden-case.ts'
import { runHttp } from './http-steps.ts'
import {
  runDrain,
  runExpect,
  runExpectBurst,
  runExpectBytes,
  runExpectJson,
  runSend,
  runSilent,
} from './message-steps.ts'
import type { ProgramCommands } from './program-commands.ts'
import { runAlive, runAttempts, runCommand, runPost, runStop, runTs, runWait } from './program-steps.ts'
import type { RunningServers, ServerSource } from './server-pool.ts'

export interface CaseFailure {
  /** From 1; 0 for what went wrong before the first step or after the last. */
  readonly stepNumber: number
  readonly step: string
  readonly problems: readonly string[]
}

export interface CaseDeps {
  readonly servers: ServerSource
  readonly commands: ProgramCommands
  /** The same that the servers get theirs from, so that a closed port stays closed. */
  readonly ports: FreePorts
  /** Whose expectations hold. */
  readonly side: Side
}

type StepRunner<Kind extends StepKind> = (
  step: Extract<Step, { readonly do: Kind }>,
  world: CaseWorld,
) => readonly string[] | Promise<readonly string[]>

const runners: { readonly [Kind in StepKind]: StepRunner<Kind> } = {
  http: runHttp,
  connect: runConnect,
  send: runSend,
  expect: runExpect,
  expectJson: runExpectJson,
  expectBurst: runExpectBurst,
  expectBytes: runExpectBytes,
  silent: runSilent,
  closed: runClosed,
  open: runOpen,
  ping: runPing,
  expectPing: runExpectPing,
  drain: runDrain,
  close: runClose,
  terminate: runTerminate,
  wait: runWait,
  ts: runTs,
  post: runPost,
  dial: runDial,
  attempts: runAttempts,
  alive: runAlive,
  run: runCommand,
  stop: runStop,
}

/** The secret and audience of section 11 of the specification. */
const fixedValues: readonly (readonly [string, string])[] = [
  ['secret', 'testsecret'],
  ['audience', 'https://access.example.io'],
]

/**
 * Replays one case. Returns the first step that went otherwise than expected, and what was wrong with the servers
 * besides; an empty list when all is as it should be. Everything it opened is closed when it returns.
 */
export async function runCase(golden: GoldenCase, deps: CaseDeps): Promise<readonly CaseFailure[]> {
  const values = new Map([...fixedValues, ['closedPort', String(await deps.ports.next())]])
  const fakeAccess =
    golden.fake === undefined ? undefined : new FakeAccess(golden.fake.access ?? {}, () => values)
  const fakeRelay = golden.fake === undefined ? undefined : new FakeRelay(golden.fake.relay ?? {})
  try {
    if (fakeAccess !== undefined) values.set('fakeAccess', await fakeAccess.start())
    if (fakeRelay !== undefined) values.set('fakeRelay', await fakeRelay.start())
    const servers = await deps.servers.acquire(golden, values)
    for (const [name, value] of servers.values) values.set(name, value)
    const { side, commands } = deps
    const { generation } = golden
    return await playAndRelease(
      golden,
      new CaseWorld({ side, generation, commands, servers, values, fakeAccess, fakeRelay }),
      servers,
    )
  } catch (error) {
    return [{ stepNumber: 0, step: 'start', problems: [describeError(error)] }]
  } finally {
    await Promise.all([fakeAccess?.stop(), fakeRelay?.stop()])
  }
}

async function playAndRelease(
  golden: GoldenCase,
  world: CaseWorld,
  servers: RunningServers,
): Promise<readonly CaseFailure[]> {
  const failure = await play(golden, world)
  const violations = world.side === 'wanted' ? world.violations() : []
  world.closeConnections()
  const endings = await servers.release()
  // The old programs die in cases that say so, and exit with codes of their own.
  const problems = [...violations, ...(world.side === 'wanted' ? endings : [])]
  const after: readonly CaseFailure[] =
    problems.length === 0 ? [] : [{ stepNumber: 0, step: 'end', problems }]
  return failure === undefined ? after : [failure, ...after]
}

async function play(golden: GoldenCase, world: CaseWorld): Promise<CaseFailure | undefined> {
  for (const [index, step] of golden.steps.entries()) {
    if (step.only !== undefined && step.only !== world.side) continue
    const problems = await tryStep(step, world)
    if (problems.length > 0) return { stepNumber: index + 1, step: describeStep(step), problems }
  }
  return undefined
}

async function tryStep(step: Step, world: CaseWorld): Promise<readonly string[]> {
  try {
    return await runners[step.do](step as never, world)
  } catch (error) {
    return [describeError(error)]
  }
}

/** For people: enough to find the step. */
function describeStep(step: Step): string {
  const { reference: _reference, wanted: _wanted, ...rest } = step
  const text = JSON.stringify(rest)
  return text.length > 240 ? `${text.slice(0, 240)}...` : text
}
