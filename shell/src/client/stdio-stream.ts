import { closeSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import type { Process } from '@relay/common/command-line'
import type { LocalStream } from '@relay/common/tunnel/local-end'

/** Stdin and stdout as one connection, as ssh uses a `ProxyCommand`. */
export function stdioStream({ stdin, stdout }: Pick<Process, 'stdin' | 'stdout'>): LocalStream {
  const { fd } = stdout as { readonly fd?: unknown }
  return {
    readable: stdin as Readable,
    writable: stdout as Writable,
    reset: () => (stdin as Readable).destroy(),
    closeWritable: () => {
      // Node never closes stdout, and ssh would wait for the end until this process has gone.
      if (typeof fd === 'number') tryToClose(fd)
    },
  }
}

function tryToClose(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // It is closed already.
  }
}
