import { execFile } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { promisify } from 'node:util'
import { AppError } from '@relay/common/errors'

const sttyTimeoutMs = 5000

/**
 * Opens a tty for reading and writing, with all processing of the line off. Writing never blocks: look at
 * `writableLength`. A hangup shows as `end`, or as the error EIO.
 * @throws {AppError} `TTY_UNUSABLE` when there is none, or it is no tty.
 */
export async function openRawTty(path: string, signal?: AbortSignal): Promise<OpenTty> {
  await makeRaw(path, signal)
  return openTty(path)
}

/** By stty: Node's own raw mode leaves the translation of `\n` to `\r\n` on. */
async function makeRaw(path: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await promisify(execFile)('stty', ['-F', path, 'raw', '-echo'], {
      timeout: sttyTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (cause) {
    const said = (cause as { readonly stderr?: string }).stderr?.trim()
    throw new AppError('TTY_UNUSABLE', `${path} cannot be used as a serial port`, {
      cause: said === undefined || said === '' ? cause : new Error(said),
    })
  }
}

export interface OpenTty extends Disposable {
  readonly stream: ReadStream
}

function openTty(path: string): OpenTty {
  // Without O_NONBLOCK the open would wait for carrier; with O_NOCTTY a hangup is no signal to us.
  const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  // The stream is a socket that can write as well; its options are passed on, which the types do not say.
  const options = { readable: true, writable: true } as ConstructorParameters<typeof ReadStream>[1]
  const stream = new ReadStream(fd, options)
  return {
    stream,
    [Symbol.dispose]: () => {
      stream.destroy()
      // Node opens a tty a second time for itself and closes only that.
      closeSync(fd)
    },
  }
}
