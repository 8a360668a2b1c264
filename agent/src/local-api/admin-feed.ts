import type { FeedHub, Leave, Member, Message } from '../feeds/feed-hub.ts'
import { splitJson } from '../feeds/split-json.ts'
import { answerAdminCommand, type ErrorTexts } from './admin-command.ts'
import type { RuleDesk } from './rule-desk.ts'

/** The feed whose messages are commands (spec session 7.7). */
const apiFeed = 'api'
/** Commands that wait to be carried out; what comes beyond is dropped and counted. */
const maxWaitingCommands = 256
/** More than an old relay joins; a message of more is none of commands, and gets one answer. */
const maxJoinedCommands = 64
/** Longer than one command may be, so that a huge message is not taken apart in vain. */
const maxJoinedBytes = 64 * 1024

export interface AdminFeedDeps {
  readonly hub: FeedHub
  readonly desk: RuleDesk
}

/**
 * The administrator on the feed `api`: every message there is a command, answered by text to everybody on the feed.
 *
 * Invariants: a command reaches the others before its answer does; answers keep the order of commands; nothing is
 * carried out after `close`.
 */
export class AdminFeed implements Member {
  readonly name = 'admin'
  readonly #errorTexts: ErrorTexts
  readonly #hub: FeedHub
  readonly #desk: RuleDesk
  readonly #leave: Leave
  readonly #waiting: Message[] = []
  #isClosed = false
  #droppedCommands = 0

  constructor(errorTexts: ErrorTexts, { hub, desk }: AdminFeedDeps) {
    this.#errorTexts = errorTexts
    this.#hub = hub
    this.#desk = desk
    this.#leave = hub.join(apiFeed, this)
  }

  get droppedCommands(): number {
    return this.#droppedCommands
  }

  /** Answers only after the hub has handed the command to the others. */
  deliver(message: Message): void {
    if (this.#waiting.length >= maxWaitingCommands) {
      this.#droppedCommands += 1
      return
    }
    this.#waiting.push(message)
    if (this.#waiting.length === 1) queueMicrotask(() => this.#answerAll())
  }

  close(): void {
    this.#isClosed = true
    this.#waiting.length = 0
    this.#leave()
  }

  #answerAll(): void {
    for (const data of this.#waiting.splice(0).flatMap((message) => commandsOf(message))) {
      if (this.#isClosed) return
      const answer = answerAdminCommand(data, this.#desk, this.#errorTexts)
      if (answer === undefined) continue
      this.#hub.publish(apiFeed, { data: Buffer.from(answer), binary: false }, this)
    }
  }
}

/** Relays of the old kind join commands that wait at the same time (spec session 6.4). */
function commandsOf({ data }: Message): readonly Buffer[] {
  if (data.length > maxJoinedBytes) return [data]
  const parts = splitJson(data)
  return parts.length > maxJoinedCommands ? [data] : parts
}
