import { spawn } from 'node:child_process'

/** `stty` needs milliseconds; it may hang on a port whose output stands still. */
const withinMs = 2_000

/**
 * Asks the system not to drop DTR when the terminal is closed (`-hupcl`), so that the next opening is no reset for
 * boards that reset by DTR; the library can only switch that on. Says whether it succeeded.
 *
 * The descriptor goes to the child as number 3: libuv makes numbers 0 to 2 blocking, for us as well.
 */
export function keepDtr(fd: number): Promise<boolean> {
  return new Promise((resolve) => {
    const stty = spawn('stty', ['-F', '/dev/fd/3', '-hupcl'], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
      timeout: withinMs,
      killSignal: 'SIGKILL',
    })
    stty.once('error', () => resolve(false))
    stty.once('exit', (code) => resolve(code === 0))
  })
}
