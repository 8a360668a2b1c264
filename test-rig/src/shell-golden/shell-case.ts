/** Whose behaviour a case shows: the shell of `practable/relay` v0.2.2, or its successor. */
export type ShellGeneration = 'v0.2.2' | 'jump'

/** One transcript of the shell side. `fixtures/golden-shell/shell.md` explains the format. */
export interface ShellCase {
  readonly name: string
  readonly generation: ShellGeneration
  readonly program?: ShellProgram
  /** Empty when a step starts the program. */
  readonly server: { readonly env?: Environment; readonly ready?: readonly string[] }
  readonly seconds?: number
  readonly slow?: boolean
  readonly steps: readonly ShellStep[]
}

export type ShellProgram = 'relay' | 'host' | 'client' | 'token'
export type Environment = Readonly<Record<string, string>>

export interface FillSpec {
  readonly size: number
  readonly seed: number
  readonly repeat?: number
}

export interface PayloadSpec {
  readonly text?: string
  readonly utf8?: string
  readonly hex?: string
  readonly fill?: FillSpec
}

/** What must be seen. Which of these a kind of step understands is fixed in `load-shell-cases.ts`. */
export interface ShellExpectation extends PayloadSpec {
  readonly status?: number | readonly number[]
  readonly headers?: Readonly<Record<string, string | null>>
  readonly body?: string
  /** The connection ended without an answer. */
  readonly cut?: boolean
  /** Name of a value to the JSON pointer that it is taken from. */
  readonly capture?: Readonly<Record<string, string>>
  readonly refused?: number | readonly number[]
  readonly type?: 'text' | 'binary'
  readonly json?: unknown
  /** Lengths of the frames; known of the old programs alone. */
  readonly frames?: readonly number[]
  readonly mayEnd?: boolean
  /** A close code, `null` for none, `fin` for a TCP end without reset. */
  readonly code?: CloseExpectation | readonly CloseExpectation[]
  readonly within?: number
  readonly notBefore?: number
  readonly notAfter?: number
  readonly stdout?: string
  readonly jwt?: JwtFacts
}

export type CloseExpectation = number | string | null

export interface JwtFacts {
  readonly header: unknown
  readonly claims: unknown
  /** Seconds between iat and exp. */
  readonly lifetime: number
  /** The most seconds that iat lies in the past. */
  readonly age: number
}

export interface ShellTokenSpec {
  readonly claims: Readonly<Record<string, unknown>>
  readonly secret?: string
  readonly alg?: string
  readonly signature?: string
  readonly before?: string
}

interface StepBase {
  readonly only?: 'reference' | 'wanted'
  /** Old and new alike. */
  readonly expect?: ShellExpectation
  /** The old program alone. */
  readonly reference?: ShellExpectation
  /** Ours alone. */
  readonly wanted?: ShellExpectation
  readonly within?: number
}

export interface HttpStep extends StepBase {
  readonly do: 'http'
  readonly method: string
  readonly path: string
  readonly port?: string
  readonly token?: string | ShellTokenSpec
  readonly headers?: Environment
  readonly body?: string
}

export interface WsStep extends StepBase {
  readonly do: 'ws'
  readonly as: string
  readonly uri: string
  readonly headers?: Environment
}

export interface SendStep extends StepBase, PayloadSpec {
  readonly do: 'send'
  readonly on: string
  readonly type?: 'text' | 'binary'
  readonly fragments?: readonly number[]
  readonly raw?: string
  readonly times?: number
}

export interface ReceiveStep extends StepBase {
  readonly do: 'receive'
  readonly on: string
  readonly until?: boolean
}

export interface ReadStep extends StepBase {
  readonly do: 'read'
  readonly on: string
}

export interface QuietStep extends StepBase {
  readonly do: 'quiet'
  readonly on: string
  readonly ms: number
}

export interface ClosedStep extends StepBase {
  readonly do: 'closed'
  readonly on: string
}

export interface CloseStep extends StepBase {
  readonly do: 'close'
  readonly on: string
  readonly code?: number
}

export interface HandleStep extends StepBase {
  readonly do: 'cut' | 'pause' | 'resume' | 'mute'
  readonly on: string
}

export interface PingStep extends StepBase {
  readonly do: 'ping'
  readonly on: string
  /** Send one and want its pong; absent: wait for one of the other end. */
  readonly send?: string
}

export interface MarkStep extends StepBase {
  readonly do: 'mark'
  readonly as: string
}

export interface WaitStep extends StepBase {
  readonly do: 'wait'
  readonly ms: number
}

export interface FakeStep extends StepBase {
  readonly do: 'fake'
}

export interface AcceptStep extends StepBase {
  readonly do: 'accept'
  /** Method and path with query. */
  readonly request: string
  readonly reply: 'upgrade' | 'cut' | { readonly status: number; readonly body: string }
  readonly as?: string
  readonly since?: string
}

export interface NoRequestStep extends StepBase {
  readonly do: 'no-request'
  readonly ms: number
}

export interface PortStep extends StepBase {
  readonly do: 'listen' | 'dial'
  readonly as: string
  readonly port: string
}

export interface TakeStep extends StepBase {
  readonly do: 'take'
  readonly from: string
  readonly as: string
}

export interface StartStep extends StepBase {
  readonly do: 'start'
  readonly as: string
  readonly program: ShellProgram
  readonly env: Readonly<Record<string, string | ShellTokenSpec>>
  readonly ready?: readonly string[]
}

export interface SignalStep extends StepBase {
  readonly do: 'signal'
  readonly program: string
  readonly signal: NodeJS.Signals
}

export interface ExitedStep extends StepBase {
  readonly do: 'exited'
  readonly program: string
}

export interface AliveStep extends StepBase {
  readonly do: 'alive'
  readonly program: string
  /** Look after so long. */
  readonly ms?: number
}

export type ShellStep =
  | HttpStep
  | WsStep
  | SendStep
  | ReceiveStep
  | ReadStep
  | QuietStep
  | ClosedStep
  | CloseStep
  | HandleStep
  | PingStep
  | MarkStep
  | WaitStep
  | FakeStep
  | AcceptStep
  | NoRequestStep
  | PortStep
  | TakeStep
  | StartStep
  | SignalStep
  | ExitedStep
  | AliveStep

export type ShellStepKind = ShellStep['do']

/** What our programs must show in a step; empty: only that it can be done. */
export function wantedOf(step: ShellStep): ShellExpectation {
  return step.wanted ?? step.expect ?? {}
}
