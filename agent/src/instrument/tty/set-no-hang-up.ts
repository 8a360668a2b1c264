import { spawn } from 'node:child_process'

/** `stty` needs milliseconds; it may hang on a port whose output stands still. */
const withinMs = 2_000

/**
 * Asks the system not to drop DTR when the terminal is closed (`-hupcl`), so that the next opening is no reset for
 * boards that reset by DTR; the library can only switch that on. Says whether it succeeded.
 */
export async function keepDtr(fd: number): Promise<boolean> {
  return await setNoHangUp(fd, AbortSignal.timeout(withinMs))
}

/**
 * Resolves when all output of the terminal has left, or `signal` aborts. `stty` waits for that before it sets anything,
 * and can be killed: the same wait within this process (`tcdrain`) holds a thread and the port until the hardware
 * yields, which may be never.
 */
export async function drainTty(fd: number, signal: AbortSignal): Promise<void> {
  await setNoHangUp(fd, signal)
}

/** The descriptor goes to the child as number 3: libuv makes numbers 0 to 2 blocking, for us as well. */
function setNoHangUp(fd: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const stty = spawn('stty', ['-F', '/dev/fd/3', '-hupcl'], {
        stdio: ['ignore', 'ignore', 'ignore', fd],
        signal,
        killSignal: 'SIGKILL',
      })
      stty.once('error', () => resolve(false))
      stty.once('exit', (code) => resolve(code === 0))
    } catch {
      // Where there is no memory for one more process it throws.
      resolve(false)
    }
  })
}
