import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Clock } from '@relay/common/clock'
import { AppError, ConfigError } from '@relay/common/errors'
import type { Environment } from '@relay/common/proxy'
import type { ReadConfig } from './read-config.ts'

/**
 * Reading a configuration takes a parser of YAML, a schema and a command line: 25 MB which the agent would then hold
 * for years. So a child reads it, with the same arguments, hands it over as JSON, and goes.
 *
 * The child finds this variable in its environment, with the number of the descriptor to write to.
 */
export const handOverVariable = 'RELAY_CONFIG_TO_FD'

const handOverFd = 3
/** A cold board needs seconds for two starts of Node. */
const readWithinMs = 60_000
/** The longest configuration that a person writes has some kilobytes. */
const maxBytes = 4_194_304

/** What the child writes: what it read, or why it cannot be read. */
export type HandedOver =
  | (ReadConfig & { readonly error?: undefined })
  | { readonly error: { readonly code: string; readonly message: string; readonly details: object } }

/** The child showed help or refused its arguments, and said so; there is nothing to run. */
export interface Ended {
  readonly exitCode: number
}

export interface ConfigChildDeps {
  readonly clock: Pick<Clock, 'sleep'>
  readonly environment: Environment
}

/**
 * Runs this program once more, with `argv` as given, to read the configuration.
 * @throws {ConfigError} as `readConfig`; {AppError} `CONFIG_READER_FAILED` when the child does not do its work, also
 *   because `signal` aborted; `CONFIG_TOO_LONG`.
 */
export async function readConfigInChild(
  argv: readonly string[],
  { clock, environment }: ConfigChildDeps,
  signal: AbortSignal,
): Promise<ReadConfig | Ended> {
  const program = process.argv[1] ?? ''
  const child = spawn(process.execPath, [...process.execArgv, program, ...argv], {
    env: { ...environment, NOTIFY_SOCKET: undefined, [handOverVariable]: String(handOverFd) },
    // What it has to say to a person it says itself.
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const done = new AbortController()
  // It has no reason to live on when its time is over, when we are told to stop, or when it is done.
  const deadline = clock
    .sleep(readWithinMs, AbortSignal.any([signal, done.signal]))
    .then(() => child.kill('SIGKILL'))
  let text: string
  let end: readonly [code: number | null, signal: NodeJS.Signals | null]
  try {
    const exited = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
    ;[text, end] = await Promise.all([readAll(child.stdio[handOverFd] as Readable), exited])
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('CONFIG_READER_FAILED', 'no second process could read the configuration', { cause })
  } finally {
    done.abort()
    await deadline
  }
  return outcomeOf(text, ...end)
}

/** Pure. */
function outcomeOf(text: string, code: number | null, signal: NodeJS.Signals | null): ReadConfig | Ended {
  // By the kernel for want of memory, or by us because its time was over. What it wrote may be half of it.
  if (code === null)
    throw new AppError(
      'CONFIG_READER_FAILED',
      `the process that reads the configuration was ended by ${signal ?? 'nobody'} before it was done`,
    )
  if (text === '') return { exitCode: code }
  const handed = JSON.parse(text) as HandedOver
  if (handed.error === undefined) return handed
  const { code: errorCode, message, details } = handed.error
  throw new ConfigError(errorCode, message, { details: { ...details } })
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new AppError('CONFIG_TOO_LONG', 'the configuration has more than 4 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
