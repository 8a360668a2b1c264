import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { aborted, type Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import { readInTime } from './read-in-time.ts'

/** Where an uplink gets its token. */
export interface TokenSource {
  /** The token as it is now. */
  read(): Promise<string>
  /** Resolves when `read` would give another token than `known`, or when `signal` aborts. */
  whenChanged(known: string | undefined, signal: AbortSignal): Promise<void>
}

/** Tokens are some hundred bytes; a file that is longer is another file. */
export const maxTokenBytes = 16_384
/** How often a token file is looked at: a new one is in use after two looks at most, and a look is one short read. */
const pollEveryMs = 2_000

/** A token that was given as a text and stays. */
export function fixedToken(token: string): TokenSource {
  return {
    read: async () => checkedToken(token, 'the rule'),
    whenChanged: (_known, signal) => aborted(signal),
  }
}

/** A token that stands in a file, which is looked at every few seconds: editing or replacing it is enough. */
export function tokenFile(path: string, clock: Clock): TokenSource {
  const read = readInTime(() => readTokenFile(path), { path, clock })
  return {
    read,
    whenChanged: async (known, signal) => {
      while (!signal.aborted) {
        await clock.sleep(pollEveryMs, signal)
        const now = await read().catch(() => undefined)
        // A file that is away for a moment while it is replaced is no new token.
        if (now !== undefined && now !== known) return
      }
    },
  }
}

/**
 * @throws {AppError} `TOKEN_FILE_MISSING`, `TOKEN_FILE_UNREADABLE`, `TOKEN_WRONG`; none shows the content.
 */
export async function readTokenFile(path: string): Promise<string> {
  let text: string
  try {
    text = await readStart(path)
  } catch (cause) {
    throw errorCode(cause) === 'ENOENT'
      ? new AppError('TOKEN_FILE_MISSING', `the token file ${path} does not exist`)
      : new AppError('TOKEN_FILE_UNREADABLE', `the token file ${path} cannot be read`, { cause })
  }
  return checkedToken(text, path)
}

async function readStart(path: string): Promise<string> {
  // A pipe in its place must not keep us waiting for somebody who writes into it.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(maxTokenBytes + 1)
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
  return buffer.toString('utf8', 0, bytesRead)
}

/**
 * The token in a text; only what may stand in a header line, else the error of the HTTP client would show it.
 * @throws {AppError} `TOKEN_WRONG`, which does not show it.
 */
export function checkedToken(text: string, where: string): string {
  const token = text.trim()
  if (token === '') throw new AppError('TOKEN_WRONG', `there is no token in ${where}`)
  if (token.length > maxTokenBytes || !/^[\x21-\x7e]+$/.test(token)) {
    throw new AppError('TOKEN_WRONG', `what stands in ${where} is not one token on one line`)
  }
  return token
}
