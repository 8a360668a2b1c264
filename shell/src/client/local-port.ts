import type { Socket } from 'node:net'
import type { Clock } from '@relay/common/clock'
import { describeError } from '@relay/common/errors'
import type { Log } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import { resetSocket } from '@relay/common/tunnel/reset-socket'
import { explainRefusal } from './client-fault.ts'
import { ClientSession, type SessionNote } from './client-session.ts'
import { sessionNoteText } from './session-note-text.ts'
import type { SessionTarget } from './session-target.ts'

export interface LocalPortOptions {
  readonly waitMs: number
  readonly resumeWithinMs: number
  readonly maxSessions: number
  readonly environment: Environment
}

export interface LocalPortDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Asked for each session. */
  readonly findTarget: () => Promise<SessionTarget>
}

/**
 * Carries each accepted connection in a session of its own. A session that fails resets its connection at once, so that
 * ssh says so instead of hanging, and harms no other.
 */
export class LocalPort {
  readonly #options: LocalPortOptions
  readonly #deps: LocalPortDeps
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #number = 0

  constructor(options: LocalPortOptions, deps: LocalPortDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Sessions of now. */
  get sessions(): number {
    return this.#running.size
  }

  accept(socket: Socket): void {
    if (this.#running.size >= this.#options.maxSessions || this.#stopping.signal.aborted) {
      this.#deps.log.warn({ sessions: this.#running.size }, 'connection refused: too many sessions')
      socket.on('error', () => undefined)
      socket.resetAndDestroy()
      return
    }
    this.#number += 1
    const running = this.#carry(socket, this.#number)
    this.#running.add(running)
    void running.finally(() => this.#running.delete(running))
  }

  /** Breaks off all sessions; resolves when they are gone. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  /** Never rejects. */
  async #carry(socket: Socket, number: number): Promise<void> {
    const { clock, random, findTarget } = this.#deps
    const { waitMs, resumeWithinMs, environment } = this.#options
    const log = this.#deps.log.child({ session: number })
    // Until the session listens: what breaks it then is seen by the session too.
    socket.on('error', () => undefined)
    const sinceMs = clock.monotonicMs()
    let target: SessionTarget | undefined
    try {
      target = await findTarget()
      const { id, access, token } = target
      const session = new ClientSession(
        { readable: socket, writable: socket, reset: () => resetSocket(socket) },
        { access, token, waitMs, resumeWithinMs, environment },
        {
          clock,
          random,
          onNote: (note) => {
            const text = sessionNoteText(id, note)
            if (text !== undefined) log[isTrouble(note) ? 'warn' : 'info']({ state: text }, 'session waits')
            else log.info({ id }, 'session opened')
          },
        },
      )
      const end = await session.run(this.#stopping.signal)
      const facts = { ...session.counts, durationMs: Math.round(clock.monotonicMs() - sinceMs) }
      if (end.isClean) log.info(facts, 'session ended')
      else log.warn({ ...facts, by: end.by, error: end.error }, 'session broke')
    } catch (error) {
      resetSocket(socket)
      const known = explainRefusal(error, target?.expiresAtMs, clock.nowMs())
      log.error({ error: known, reason: describeError(known) }, 'session failed')
    }
  }
}

function isTrouble({ kind }: SessionNote): boolean {
  return kind === 'lost' || kind === 'waiting-for-relay'
}
