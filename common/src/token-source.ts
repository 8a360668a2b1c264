import { aborted, type Clock } from './clock.ts'
import { AppError, errorCode } from './errors.ts'
import { readInTime, readWithinMs } from './read-in-time.ts'
import { readStart } from './read-start.ts'

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

/** For what is dialled without a token, and so must not ask for one. */
export const noToken: TokenSource = {
  read: () => Promise.reject(new AppError('TOKEN_MISSING', 'there is no token')),
  whenChanged: (_known, signal) => aborted(signal),
}

/** A token that stands in a file, which is looked at every few seconds: editing or replacing it is enough. */
export function tokenFile(path: string, clock: Clock): TokenSource {
  const late = (): AppError =>
    new AppError(
      'TOKEN_FILE_UNREADABLE',
      `the token file ${path} cannot be read: its disk did not answer for ${readWithinMs / 1000} s`,
    )
  const read = readInTime(() => readTokenFile(path), { clock, late })
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
    text = (await readStart(path, maxTokenBytes + 1)).toString('utf8')
  } catch (cause) {
    throw errorCode(cause) === 'ENOENT'
      ? new AppError('TOKEN_FILE_MISSING', `the token file ${path} does not exist`)
      : new AppError('TOKEN_FILE_UNREADABLE', `the token file ${path} cannot be read`, { cause })
  }
  return checkedToken(text, path)
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
