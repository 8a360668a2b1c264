import { type Cancel, type Clock, systemClock } from '@relay/common/clock'
import type { Command, Process } from '@relay/common/command-line'
import { commandLineOptions } from '@relay/common/config/document-config'
import { AppError, ConfigError, exitCode, UsageError } from '@relay/common/errors'
import { favourThroughput } from '@relay/common/tunnel/favour-throughput'
import { explainFault, writeFault } from '@relay/common/write-fault'
import { connectSpec, loadConnectConfig } from './client-config.ts'
import { clientExitOf, explainRefusal } from './client-fault.ts'
import { ClientSession, type SessionNote } from './client-session.ts'
import { sessionNoteText } from './session-note-text.ts'
import { findTarget, type SessionTarget } from './session-target.ts'
import { stdioStream } from './stdio-stream.ts'

/** `shell connect <id>`: one session on stdin and stdout, for the `ProxyCommand` of ssh. */
export const connectCommand: Command = {
  usage: 'connect <id>',
  description: 'reach the sshd of an experiment on stdin and stdout: ProxyCommand shell connect %h',
  positionals: { id: { type: 'string', describe: 'the experiment, such as pend00' } },
  options: commandLineOptions(connectSpec),
  run: async (args, process) => {
    const config = loadConnectConfig(args, process)
    favourThroughput()
    const id = args['id']
    if (typeof id !== 'string' || id === '') throw new UsageError('the id of an experiment is missing')
    const target = await findTarget({
      id,
      session: config.session,
      token: config.token,
      tokenFile: config.tokenFile,
      tokenDirectory: config.tokens,
    })
    const { wait: waitMs, resumeWithin: resumeWithinMs, quiet: isQuiet } = config
    return await connect(target, { waitMs, resumeWithinMs, isQuiet }, process)
  },
}

interface ConnectOptions {
  readonly waitMs: number
  readonly resumeWithinMs: number
  readonly isQuiet: boolean
}

async function connect(
  target: SessionTarget,
  { waitMs, resumeWithinMs, isQuiet }: ConnectOptions,
  process: Process,
): Promise<number> {
  const clock = systemClock
  const notes = new Notes(target.id, process.stderr, clock, isQuiet)
  const session = new ClientSession(
    stdioStream(process),
    { access: target.access, token: target.token, waitMs, resumeWithinMs, environment: process.environment },
    { clock, random: Math.random, onNote: (note) => notes.take(note) },
  )
  const stopping = new AbortController()
  const stop = (): void => stopping.abort()
  process.signal.addEventListener('abort', stop, { once: true })
  // Ssh sends it when it ends, right after its last words, which may still be on their way through us.
  process.onHangUp?.(() => void clock.after(hangUpWithinMs, stop))
  try {
    const end = await session.run(stopping.signal)
    if (end.isClean || stopping.signal.aborted || end.by === 'local') return exitCode.ok
    return tell(end.error, target, process)
  } catch (error) {
    if (stopping.signal.aborted) return exitCode.ok
    return tell(error, target, process)
  } finally {
    notes.stop()
    process.signal.removeEventListener('abort', stop)
  }
}

const hangUpWithinMs = 2_000

/** One line on stderr, and the exit code. Ssh shows the line and has a code of its own. */
function tell(error: unknown, { id, expiresAtMs }: SessionTarget, process: Process): number {
  const known = explainRefusal(error, expiresAtMs, systemClock.nowMs())
  if (known instanceof ConfigError || !(known instanceof AppError)) throw known
  writeFault(`shell connect ${id}: ${explainFault(known)}\n`, process)
  return clientExitOf(known)
}

/** A person who waits for longer is told why. */
const noteAfterMs = 2_000

/** Tells on stderr what is waited for: before a session after 2 s, within one at once. */
class Notes {
  readonly #id: string
  readonly #stderr: NodeJS.WritableStream
  readonly #isQuiet: boolean
  #isHeld = true
  #last: SessionNote | undefined
  #told = ''
  readonly #cancel: Cancel

  constructor(id: string, stderr: NodeJS.WritableStream, clock: Clock, isQuiet: boolean) {
    this.#id = id
    this.#stderr = stderr
    this.#isQuiet = isQuiet
    this.#cancel = clock.after(noteAfterMs, () => {
      this.#isHeld = false
      if (this.#last === undefined) this.#write(`connecting to ${id}`)
      else this.#tell(this.#last)
    })
  }

  take(note: SessionNote): void {
    this.#last = note
    if (note.kind === 'opened') this.stop()
    if (!this.#isHeld) this.#tell(note)
  }

  stop(): void {
    this.#cancel()
    this.#isHeld = false
  }

  #tell(note: SessionNote): void {
    const text = sessionNoteText(this.#id, note)
    if (text !== undefined) this.#write(text)
  }

  #write(text: string): void {
    // The same again says nothing new.
    if (this.#isQuiet || text === this.#told) return
    this.#told = text
    // Ssh may have put the terminal into a mode in which a line does not begin at the left by itself.
    this.#stderr.write(`shell connect: ${text}\r\n`)
  }
}
