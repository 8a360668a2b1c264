import type { Clock } from '../clock.ts'
import { errorCode } from '../errors.ts'
import { type Fault, faultOf } from '../fault.ts'
import type { Log } from '../log.ts'
import type { SessionEnd } from '../tunnel/session-end.ts'
import type { HostSessionStatus, ShellHostStatus } from './shell-host-status.ts'

export type HostTotals = Pick<
  ShellHostStatus,
  | 'openedSessions'
  | 'unreachableSessions'
  | 'resumedSessions'
  | 'refusedSessions'
  | 'lostSessions'
  | 'receivedBytes'
  | 'sentBytes'
>

const tellEveryMs = 10_000
/** Whether sshd is back shows only when somebody comes: a fault is not told for ever. */
const faultForMs = 600_000

/** Counts what becomes of the sessions of a host, and tells the log; what a relay can make happen at will it tells rarely. */
export class HostTally {
  readonly #id: string
  readonly #clock: Clock
  readonly #log: Log
  /** By reasons, which are few. */
  readonly #toldAtMs = new Map<string, number>()
  readonly #totals = {
    openedSessions: 0,
    unreachableSessions: 0,
    resumedSessions: 0,
    refusedSessions: 0,
    lostSessions: 0,
    receivedBytes: 0,
    sentBytes: 0,
  }
  /** Of the last session that could not be had; undefined again after one that could, and after a while. */
  #fault: Fault | undefined

  /** `id` is the shell id. */
  constructor(id: string, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#id = id
    this.#clock = clock
    this.#log = log
  }

  /** Bytes are those of sessions that have ended. */
  get totals(): HostTotals {
    return { ...this.#totals }
  }

  get fault(): Fault | undefined {
    return this.#fault
  }

  opened({ id, kind }: HostSessionStatus): void {
    this.#totals.openedSessions += 1
    this.#fault = undefined
    this.#log.info({ shell: this.#id, session: id, kind }, 'a shell session is open')
  }

  resumed(): void {
    this.#totals.resumedSessions += 1
  }

  /** Given up while its link was lost. */
  lost(): void {
    this.#totals.lostSessions += 1
  }

  over({ id, kind, sentBytes, receivedBytes, sinceMs, resumes }: HostSessionStatus, end: SessionEnd): void {
    this.#totals.sentBytes += sentBytes
    this.#totals.receivedBytes += receivedBytes
    if (end.by === 'time') this.lost()
    const seconds = Math.round((this.#clock.nowMs() - sinceMs) / 1000)
    const { by, error } = end
    this.#log.info(
      { shell: this.#id, session: id, kind, sentBytes, receivedBytes, seconds, resumes, by, error },
      'a shell session has ended',
    )
  }

  refused(why: string): void {
    this.#totals.refusedSessions += 1
    if (!this.#mayTell(why)) return
    const { refusedSessions: refused } = this.#totals
    this.#log.warn({ shell: this.#id, why, refused }, 'a session was refused')
  }

  failed(error: unknown): void {
    if (errorCode(error) === 'SSHD_UNREACHABLE') {
      this.#totals.unreachableSessions += 1
      this.#fault = faultOf(error, this.#clock.nowMs())
    }
    if (this.#mayTell(errorCode(error) ?? ''))
      this.#log.warn({ shell: this.#id, error }, 'a shell session could not be opened')
  }

  /** To be called now and then. */
  forgetOldFault(): void {
    if (this.#fault !== undefined && this.#clock.nowMs() - this.#fault.atMs > faultForMs)
      this.#fault = undefined
  }

  #mayTell(what: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - (this.#toldAtMs.get(what) ?? Number.NEGATIVE_INFINITY) < tellEveryMs) return false
    this.#toldAtMs.set(what, nowMs)
    return true
  }
}
