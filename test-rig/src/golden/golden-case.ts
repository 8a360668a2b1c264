import type { AccessScript } from './fake-access.ts'
import type { RelayScript } from './fake-relay.ts'
import type { MessageSpec } from './payload.ts'
import type { TokenSpec } from './token-mint.ts'

/** Whose behaviour a case shows; it decides which of our commands stands in for the old program. */
export type Generation = 'v0.2.2' | 'v0.9.3'

/** One transcript: what to start, and what to do and see, in order. `fixtures/golden/session.md` explains the format. */
export interface GoldenCase {
  readonly name: string
  readonly generation: Generation
  readonly server: ServerSpec
  readonly fake?: FakeSpec
  /** Takes about a minute. */
  readonly slow?: boolean
  readonly note?: string
  /** The rows of the specification it was written for. */
  readonly source?: string | readonly string[]
  readonly steps: readonly Step[]
}

export interface ServerSpec {
  readonly relay?: ProgramSpec
  readonly host?: ProgramSpec
  /** Processes of its own, not shared with other cases. */
  readonly fresh?: boolean
}

export interface ProgramSpec {
  readonly env: Readonly<Record<string, string>>
}

export interface FakeSpec {
  readonly access?: AccessScript
  readonly relay?: RelayScript
}

/** What must be seen. Which of these a kind of step understands is fixed in `step-grammar.ts`. */
export interface Expectation {
  readonly status?: number | readonly number[]
  readonly headers?: Readonly<Record<string, string | null>>
  readonly body?: string
  readonly bodyContains?: readonly string[]
  readonly json?: unknown
  readonly jsonContains?: unknown
  readonly jsonSet?: readonly unknown[]
  readonly jsonHas?: readonly unknown[]
  readonly at?: string
  readonly dropped?: boolean
  readonly open?: boolean
  readonly protocol?: string
  readonly extensions?: string
  readonly code?: number | readonly number[]
  readonly reason?: string
  readonly afterMs?: number
  readonly beforeMs?: number
  readonly messages?: 'separate' | 'merged' | 'any' | readonly MessageSpec[]
  readonly atLeast?: number
  readonly text?: boolean
  readonly subset?: boolean
  readonly minMessages?: number
  readonly maxMessages?: number
  readonly noAnswer?: boolean
  readonly method?: string
  readonly path?: string
  readonly atMs?: readonly number[]
  readonly toleranceMs?: number
  readonly min?: number
  readonly max?: number
  readonly alive?: boolean
  readonly exit?: number
  readonly stdout?: string
  readonly outputContains?: string
  readonly jwt?: JwtExpectation
}

export interface JwtExpectation {
  readonly secret: string
  /** Seconds between iat and exp. */
  readonly lifetime: number
  readonly header: unknown
  readonly claims: unknown
}

interface StepBase {
  /** The step belongs to the replay against one of the two alone. */
  readonly only?: Side
  /** What the old program shows. */
  readonly reference?: Expectation
  /** What holds for us, where it differs. */
  readonly wanted?: Expectation
}

/** Whose expectations hold: the old program's, or ours. */
export type Side = 'reference' | 'wanted'

export interface HttpStep extends StepBase {
  readonly do: 'http'
  readonly to: 'access' | 'relay' | 'host'
  readonly method: string
  readonly path: string
  readonly token?: TokenSpec
  /** A list writes the header several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** A body of bytes in place of `body`. */
  readonly bodyBytes?: readonly MessageSpec[]
  /** Send the body in chunks without a length. */
  readonly chunked?: boolean
  /** Do not ask the server to close. */
  readonly keepAlive?: boolean
  /** Name of a value to the key of the JSON answer it is taken from. */
  readonly save?: Readonly<Record<string, string>>
  /** Tokens to make before, by the name of the value. */
  readonly mint?: Readonly<Record<string, TokenSpec>>
}

export interface ConnectStep extends StepBase {
  readonly do: 'connect'
  readonly peer: string
  readonly token?: TokenSpec
  readonly uri?: string
  readonly protocols?: readonly string[]
  readonly offerDeflate?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly autoPong?: boolean
  readonly settleMs?: number
}

export interface BurstSpec {
  readonly count: number
  /** `{{i}}` counts from 0. */
  readonly text: string
}

export interface SendStep extends StepBase {
  readonly do: 'send'
  readonly peer: string
  readonly message?: MessageSpec
  readonly fragments?: readonly MessageSpec[]
  readonly as?: 'text' | 'binary'
  readonly pingBetween?: boolean
  readonly burst?: BurstSpec
  readonly raw?: string
}

interface PeerStepBase extends StepBase {
  readonly peer: string
  readonly withinMs?: number
}

export interface ExpectStep extends PeerStepBase {
  readonly do: 'expect'
  readonly messages: readonly MessageSpec[]
}

export interface ExpectJsonStep extends PeerStepBase {
  readonly do: 'expectJson'
}

export interface ExpectBurstStep extends PeerStepBase {
  readonly do: 'expectBurst'
  readonly burst: BurstSpec
}

export interface ExpectBytesStep extends PeerStepBase {
  readonly do: 'expectBytes'
  readonly bytes: readonly MessageSpec[]
}

export interface SilentStep extends StepBase {
  readonly do: 'silent'
  readonly peer: string
  readonly forMs: number
  readonly mayClose?: boolean
}

export interface ClosedStep extends PeerStepBase {
  readonly do: 'closed'
}

export interface OpenStep extends StepBase {
  readonly do: 'open'
  readonly peer: string
  readonly forMs?: number
}

export interface PingStep extends PeerStepBase {
  readonly do: 'ping'
  readonly data: string
}

export interface ExpectPingStep extends PeerStepBase {
  readonly do: 'expectPing'
}

export interface DrainStep extends StepBase {
  readonly do: 'drain'
  readonly peer: string
  readonly forMs: number
}

export interface CloseStep extends StepBase {
  readonly do: 'close'
  readonly peer: string
  readonly code?: number
  readonly reason?: string
}

export interface TerminateStep extends StepBase {
  readonly do: 'terminate'
  readonly peer: string
}

export interface WaitStep extends StepBase {
  readonly do: 'wait'
  readonly ms: number
}

export interface TsStep extends StepBase {
  readonly do: 'ts'
  readonly id: string
  readonly open?: string
  readonly write?: readonly MessageSpec[]
  readonly end?: boolean
  readonly abort?: boolean
  readonly withinMs?: number
}

export interface PostStep extends StepBase {
  readonly do: 'post'
  readonly path: string
  readonly withinMs?: number
}

export interface DialStep extends PeerStepBase {
  readonly do: 'dial'
  readonly path: string
}

export interface AttemptsStep extends StepBase {
  readonly do: 'attempts'
  readonly path: string
  readonly watchMs: number
}

export interface AliveStep extends StepBase {
  readonly do: 'alive'
  readonly server: 'relay' | 'host'
}

export interface RunStep extends StepBase {
  readonly do: 'run'
  readonly command: 'token'
  readonly env: Readonly<Record<string, string>>
}

/** Sends a signal to a server and looks at how it ends; ours alone, the transcripts have no such step. */
export interface StopStep extends StepBase {
  readonly do: 'stop'
  readonly server: 'relay' | 'host'
  readonly signal: 'SIGINT' | 'SIGTERM'
  readonly withinMs?: number
}

export type Step =
  | HttpStep
  | ConnectStep
  | SendStep
  | ExpectStep
  | ExpectJsonStep
  | ExpectBurstStep
  | ExpectBytesStep
  | SilentStep
  | ClosedStep
  | OpenStep
  | PingStep
  | ExpectPingStep
  | DrainStep
  | CloseStep
  | TerminateStep
  | WaitStep
  | TsStep
  | PostStep
  | DialStep
  | AttemptsStep
  | AliveStep
  | RunStep
  | StopStep

export type StepKind = Step['do']

/** What a step must see on our side or on the old program's; undefined: only that it can be done. */
export function expectationOf(step: Step, side: Side): Expectation | undefined {
  return side === 'wanted' ? (step.wanted ?? step.reference) : step.reference
}
