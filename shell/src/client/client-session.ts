import { randomBytes } from 'node:crypto'
import type { Clock } from '@relay/common/clock'
import { AppError, describeError } from '@relay/common/errors'
import { nextDelayMs, type RetryPolicy } from '@relay/common/keep-connected'
import type { Environment } from '@relay/common/proxy'
import { explainTokenKind } from '@relay/common/shell-host/explain-token-kind'
import { LocalEnd, type LocalStream } from '@relay/common/tunnel/local-end'
import { PlainPump } from '@relay/common/tunnel/plain-pump'
import type { SessionEnd } from '@relay/common/tunnel/session-end'
import type { TunnelLink } from '@relay/common/tunnel/tunnel-link'
import { WINDOW_BYTES } from '@relay/common/tunnel/tunnel-protocol'
import { type PeerState, TunnelSession } from '@relay/common/tunnel/tunnel-session'
import type { WebsocketLink } from '@relay/common/tunnel/websocket-link'
import { isPassing } from './client-fault.ts'
import { EarlyLocal } from './early-local.ts'
import { openSession } from './open-session.ts'

export interface ClientSessionOptions {
  readonly access: string
  readonly token: string
  /** How long a host that is offline, or a relay that cannot be reached, is waited for before a session begins. */
  readonly waitMs: number
  /** A session without a link for so long is given up. */
  readonly resumeWithinMs: number
  readonly environment: Environment
}

/** What goes on, for a person who waits. */
export type SessionNote =
  | { readonly kind: 'waiting-for-relay'; readonly error: unknown }
  | { readonly kind: 'waiting-for-host'; readonly lastSeen: string | null }
  | { readonly kind: 'opened'; readonly isTunnel: boolean }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'resumed'; readonly afterMs: number }

export interface ClientSessionDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly onNote: (note: SessionNote) => void
}

/** shell/PROTOCOL.md: 0.2 s at first, then doubling to 5 s. */
const redialPolicy: RetryPolicy = { minMs: 200, maxMs: 5_000, stableAfterMs: 0 }
/** Each of exchange and handshake, of which one relay that hangs must not use up all the time. */
const dialWithinMs = 10_000
/** For a host to come back and answer; the relay says when it is not there. */
const resumeWithinMs = 30_000
/** The last words of a session leave within this, or not at all. */
const farewellWithinMs = 1_000

/**
 * One local connection carried to the host, from its beginning to its end: dials, opens, resumes.
 *
 * Invariants: ends within a bounded time whatever the relay and the host do, and does not wait for them once the local
 * program has gone; the local side is never left open: it is
 * ended in order, or reset.
 */
export class ClientSession {
  readonly #options: ClientSessionOptions
  readonly #deps: ClientSessionDeps
  readonly #local: LocalEnd
  readonly #early: EarlyLocal
  readonly #id = randomBytes(16).toString('base64url')
  #session: TunnelSession | undefined
  #pump: PlainPump | undefined
  #link: WebsocketLink | undefined
  #attempts = 0
  #finish: (end: SessionEnd) => void = () => undefined
  readonly #over: Promise<SessionEnd>
  /** Aborts when the session is over: then nothing is dialled any more. */
  readonly #ending = new AbortController()
  /** Aborts when the local program's stream has ended: a host that is away is not waited for any more. */
  readonly #hurry = new AbortController()
  /** How it ended although there was no session yet. */
  #endedEarly: SessionEnd | undefined

  constructor(stream: LocalStream, options: ClientSessionOptions, deps: ClientSessionDeps) {
    this.#options = options
    this.#deps = deps
    this.#local = new LocalEnd(stream)
    this.#early = new EarlyLocal({
      local: this.#local,
      onEnded: () => this.#hurry.abort(),
      onBroke: (error) => {
        this.#endedEarly = { isClean: false, by: 'local', error }
        this.#ending.abort()
      },
    })
    this.#over = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  get counts(): { readonly sentBytes: number; readonly receivedBytes: number } {
    return this.#session?.counts ?? this.#pump?.counts ?? { sentBytes: 0, receivedBytes: 0 }
  }

  /**
   * Resolves when all is over and the link gone. Aborting `signal` breaks it off.
   * @throws {AppError} where no session came to be: those of `openSession`. The local side is reset then.
   */
  async run(signal: AbortSignal): Promise<SessionEnd> {
    const stop = (): void => this.#stop()
    signal.addEventListener('abort', stop, { once: true })
    try {
      if (signal.aborted) throw new AppError('ABORTED', 'it was given up')
      this.#local.listen(this.#early)
      this.#local.resume()
      await this.#begin()
      const end = await this.#over
      this.#ending.abort()
      await this.#farewell()
      return end
    } catch (error) {
      this.#local.reset()
      if (this.#endedEarly !== undefined) return this.#endedEarly
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
      this.#ending.abort()
    }
  }

  /** Dials until a session is open, an error is final, the time is over, or nobody waits for it. */
  async #begin(): Promise<void> {
    const { clock, random, onNote } = this.#deps
    const deadlineMs = clock.monotonicMs() + this.#options.waitMs
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#dial(undefined, Math.max(1_000, deadlineMs - clock.monotonicMs()))
        return
      } catch (error) {
        const leftMs = deadlineMs - clock.monotonicMs()
        const isOver = this.#ending.signal.aborted || this.#hurry.signal.aborted
        if (!isPassing(error) || leftMs <= 0 || isOver) throw error
        // The last attempt comes at the end of the time, or when nobody waits any more.
        const delayMs = Math.min(leftMs, nextDelayMs(attempt, error, redialPolicy, random))
        onNote({ kind: 'waiting-for-relay', error })
        await clock.sleep(delayMs, AbortSignal.any([this.#ending.signal, this.#hurry.signal]))
      }
    }
  }

  async #dial(resume: PeerState | undefined, openWithinMs: number): Promise<void> {
    const { access, token, environment } = this.#options
    const { clock, onNote } = this.#deps
    this.#attempts += 1
    this.#link = await openSession(
      {
        access,
        token,
        environment,
        dialWithinMs,
        openWithinMs,
        session: this.#id,
        resume,
        window: WINDOW_BYTES,
        attempt: this.#attempts,
        signal: this.#ending.signal,
        hurry: this.#hurry.signal,
      },
      {
        clock,
        onWaiting: (lastSeen) => onNote({ kind: 'waiting-for-host', lastSeen }),
        onTunnel: (link, peer) => this.#takeTunnel(link, peer),
        onPlain: (link, isRelayOld) => this.#takePlain(link, isRelayOld),
      },
    ).catch((error: unknown) => {
      throw explainTokenKind(error, { access, token })
    })
  }

  #takeTunnel(link: TunnelLink, peer: PeerState): void {
    if (this.#session === undefined) {
      this.#session = new TunnelSession(
        { role: 'client', resumeWithinMs: this.#options.resumeWithinMs },
        {
          clock: this.#deps.clock,
          local: this.#local,
          onLinkLost: ({ code, reason }) => void this.#redial(reason === '' ? `code ${code}` : reason),
          onOver: this.#finish,
        },
      )
      this.#deps.onNote({ kind: 'opened', isTunnel: true })
      this.#local.listen(this.#session)
      this.#early.handOver(this.#session)
    }
    this.#session.attach(link, peer)
  }

  #takePlain(link: TunnelLink, isRelayOld: boolean): void {
    this.#pump = new PlainPump(
      link,
      {
        sendAfter: isRelayOld ? 'first-message' : 'nothing',
        firstMessageWithinMs: this.#options.waitMs,
      },
      { clock: this.#deps.clock, local: this.#local, onOver: this.#finish },
    )
    this.#deps.onNote({ kind: 'opened', isTunnel: false })
    this.#local.listen(this.#pump)
    this.#early.handOver(this.#pump)
    this.#pump.start()
  }

  /** Until the session has a link again, or is over: it gives itself up in time. Never rejects. */
  async #redial(reason: string): Promise<void> {
    const { clock, random, onNote } = this.#deps
    const session = this.#session
    if (session === undefined) return
    const lostAtMs = clock.monotonicMs()
    onNote({ kind: 'lost', reason })
    let error: unknown
    const { signal } = this.#ending
    for (let attempt = 0; !session.isOver && !session.hasLink && !signal.aborted; attempt += 1) {
      await clock.sleep(nextDelayMs(attempt, error, redialPolicy, random), signal)
      if (session.isOver) return
      try {
        await this.#dial(session.state, resumeWithinMs)
        onNote({ kind: 'resumed', afterMs: clock.monotonicMs() - lostAtMs })
        return
      } catch (caught) {
        error = caught
        if (isPassing(caught) || session.isOver) continue
        session.fail(
          caught instanceof AppError ? caught : new AppError('BUG', describeError(caught), { cause: caught }),
        )
      }
    }
  }

  #stop(): void {
    this.#session?.abort('CLIENT_STOPPED', 'the client was stopped')
    this.#pump?.abort('CLIENT_STOPPED', 'the client was stopped')
    this.#ending.abort()
  }

  /** What was said last must leave this process before it may end. */
  async #farewell(): Promise<void> {
    const link = this.#link
    if (link === undefined) return
    const waiting = new AbortController()
    await Promise.race([link.whenGone, this.#deps.clock.sleep(farewellWithinMs, waiting.signal)])
    waiting.abort()
    link.terminate()
  }
}
