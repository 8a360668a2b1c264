import { aborted } from '../../src/clock.ts'
import { type Command, type Process, runProgram } from '../../src/command-line.ts'
import { ConfigError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { runMain } from '../../src/run-main.ts'

/** A program as ours are, for tests that start one as a process of its own. */

const forever = (): NodeJS.Timeout => setInterval(() => undefined, 1000)

const command = (usage: string, run: (process: Process) => Promise<number>): Command => ({
  usage,
  description: `does ${usage}`,
  run: (_args, process) => run(process),
})

const commands: readonly Command[] = [
  command('wait', async ({ stdout, signal }) => {
    const alive = forever()
    stdout.write('ready\n')
    await aborted(signal)
    stdout.write(`draining after ${String(signal.reason)}\n`)
    // Longer than npm, a terminal and a launcher need to pass on one and the same order.
    await new Promise((resolve) => setTimeout(resolve, 200))
    clearInterval(alive)
    stdout.write('drained\n')
    return 0
  }),
  command('hang', async ({ stdout }) => {
    forever()
    stdout.write('ready\n')
    return await new Promise<number>(() => undefined)
  }),
  command('flood', async ({ stdout, stderr, signal }) => {
    let lines = 0
    while (!signal.aborted && lines < 10_000_000) {
      stdout.write(`line ${lines}\n`)
      lines += 1
      if (lines % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    stderr.write(signal.aborted ? 'stopped\n' : 'nobody stopped me\n')
    return 0
  }),
  command('big', ({ stdout, stderr }) => {
    stdout.write('x'.repeat(1_000_000))
    stderr.write('all is written\n')
    return Promise.resolve(0)
  }),
  command('code', () => Promise.resolve(3)),
  command('config', () => Promise.reject(new ConfigError('CONFIG_INVALID', 'the port is wrong'))),
  command('late-throw', async () => {
    setTimeout(() => {
      throw new TypeError('late and nobody caught it')
    }, 5)
    forever()
    return await new Promise<number>(() => undefined)
  }),
  command('late-reject', async () => {
    setTimeout(() => void Promise.reject(new ConfigError('CONFIG_INVALID', 'late: the port is wrong')), 5)
    forever()
    return await new Promise<number>(() => undefined)
  }),
  command('log-and-exit', () => {
    const log = createLog({ program: 'sample', level: 'debug' })
    for (let n = 0; n < 3000; n++) log.info({ n, filler: 'x'.repeat(100) }, 'much')
    return Promise.resolve(0)
  }),
  command('log-flood', async ({ stderr, signal }) => {
    const log = createLog({ program: 'sample', level: 'debug' })
    const alive = forever()
    for (let n = 0; n < 20_000; n++) log.info({ n, filler: 'x'.repeat(100) }, 'much')
    stderr.write('still alive\n')
    await aborted(signal)
    clearInterval(alive)
    log.info('the last line')
    return 0
  }),
  command('log', ({ environment }) => {
    const log = createLog({ program: 'sample', level: 'debug', journal: { environment } })
    log.info({ token: environment.SAMPLE_TOKEN, request: `POST ${environment.SAMPLE_TOKEN}` }, 'asked')
    log.child({ request: { authorization: environment.SAMPLE_TOKEN } }).warn('refused')
    log.error({ error: new Error(`no use: ${environment.SAMPLE_TOKEN}`) }, 'failed')
    return Promise.resolve(0)
  }),
]

await runMain((argv, process) =>
  runProgram({ name: 'sample', description: 'Sample', version: '0.0.1', commands }, argv, process),
)
