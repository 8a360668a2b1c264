import type { Process } from './command-line.ts'
import { exitCode, exitCodeOf } from './errors.ts'
import { explainFault, writeFault } from './write-fault.ts'

/** A terminal, npm and a launcher may each pass on the one Ctrl-C: what comes this soon is no second order. */
const sameSignalWithinMs = 500

/**
 * Binds `run` to this process: arguments, signals and exit code. A second signal, half a second or more after the
 * first, ends at once. All output is out before the end. What nobody caught is printed as one sentence and ends with 70. Only for `main.ts`.
 */
export async function runMain(
  run: (argv: readonly string[], process: Process) => Promise<number>,
): Promise<void> {
  const controller = new AbortController()
  let orderedAtMs: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      orderedAtMs ??= performance.now()
      if (performance.now() - orderedAtMs >= sameSignalWithinMs) process.exit(exitCode.failed)
      controller.abort(signal)
    })
  }
  // Started through the launcher (launch.mjs), which was killed: nobody could tell this process to stop any more.
  process.once('disconnect', () => controller.abort('launcher gone'))
  process.channel?.unref()
  // Whoever reads our output may leave (`| head`): that is an order to stop, not a fault.
  process.stdout.on('error', () => controller.abort('stdout closed'))
  // Nobody is left to tell.
  process.stderr.on('error', () => undefined)
  const fail = (error: unknown): never => {
    writeFault(`${explainFault(error)}\n`, { stderr: process.stderr, environment: process.env })
    process.exit(exitCodeOf(error))
  }
  process.on('uncaughtException', fail)
  const { env, stdin, stdout, stderr } = process
  const code = await run(process.argv.slice(2), {
    environment: env,
    stdin,
    stdout,
    stderr,
    signal: controller.signal,
    onHangUp: (listener) => {
      if (!stdin.isTTY) process.on('SIGHUP', listener)
    },
  }).catch(fail)
  await Promise.race([Promise.all([written(stdout), written(stderr)]), soonAfter(controller.signal)])
  process.exit(code)
}

/** After an order to stop, output that nobody takes is not waited for any longer than this. */
const lastOutputWithinMs = 1000

/** Resolves when all that was written has left: what goes into a pipe is sent behind our back, and an exit cuts it. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve()
    else stream.write('', () => resolve())
  })
}

function soonAfter(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wait = (): void => void setTimeout(resolve, lastOutputWithinMs)
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
}
