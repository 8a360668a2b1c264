import { systemClock } from '@relay/common/clock'
import type { Arguments, Process, Program } from '@relay/common/command-line'
import { describeError, exitCode, UsageError } from '@relay/common/errors'
import { fastestRateHz, slowestRateHz } from './command.ts'
import { Motor } from './motor.ts'
import { numberOption } from './number-option.ts'
import { Pendulum } from './pendulum.ts'
import { SimulatedInstrument } from './simulated-instrument.ts'
import { streamSink } from './stream-sink.ts'
import { runTtyLink } from './tty-link.ts'

export const instrumentKinds = ['pendulum', 'motor'] as const
const maxQueuedBytes = 65_536

/** `instrument`: a simulated laboratory instrument on stdin and stdout, or on a tty. */
export const instrumentProgram: Program = {
  name: 'instrument',
  version: '0.1.0',
  description: 'A simulated instrument which speaks JSON lines, as the firmware of the fleet does',
  commands: [
    {
      usage: '$0',
      description: 'run the instrument until SIGTERM, SIGINT or the end of stdin',
      options: {
        kind: { choices: instrumentKinds, default: 'pendulum', describe: 'what is simulated' },
        tty: { type: 'string', describe: 'serial port to speak on; default: stdin and stdout' },
        rate: { type: 'number', default: 20, describe: 'data lines per second' },
        noise: { type: 'number', default: 1, describe: "factor on the sensors' noise, 0 for none" },
        'delay-ms': { type: 'number', default: 15, describe: 'delay of the sensors' },
      },
      run: runInstrument,
    },
  ],
}

async function runInstrument(args: Arguments, process: Process): Promise<number> {
  const instrument = new SimulatedInstrument(
    args['kind'] === 'motor' ? new Motor() : new Pendulum(),
    {
      rateHz: numberOption(args, 'rate', { min: slowestRateHz, max: fastestRateHz }),
      noise: numberOption(args, 'noise', { min: 0, max: 100 }),
      sensorDelayMs: numberOption(args, 'delay-ms', { min: 0, max: 1000 }),
    },
    { clock: systemClock, random: Math.random },
  )
  const { tty } = args
  if (tty === '') throw new UsageError('--tty must name a serial port, such as /dev/pts/3')
  const ended = new AbortController()
  const signal = AbortSignal.any([process.signal, ended.signal])
  const link =
    typeof tty === 'string'
      ? speakOnTty(tty, instrument, process, signal)
      : speakOnStdio(instrument, process, ended)
  await Promise.all([instrument.run(signal), link])
  return exitCode.ok
}

/** Each change of the port's state is one line on stderr; attempts in between are not. */
async function speakOnTty(
  path: string,
  instrument: SimulatedInstrument,
  process: Process,
  signal: AbortSignal,
): Promise<void> {
  const say = (text: string): void => void process.stderr.write(`instrument: ${text}\n`)
  let said = ''
  const onOpen = (): void => {
    said = ''
    say(`speaking on ${path}`)
  }
  const onRetry = ({ error }: { readonly error: unknown }): void => {
    const text =
      error === undefined ? `${path} was hung up, waiting for it` : `waiting: ${describeError(error)}`
    if (text !== said) say(text)
    said = text
  }
  await runTtyLink(path, instrument, { clock: systemClock, random: Math.random, onRetry, onOpen }, signal)
}

/** Resolves at once; the end of either stream ends the program. */
async function speakOnStdio(
  instrument: SimulatedInstrument,
  process: Process,
  ended: AbortController,
): Promise<void> {
  const end = (): void => ended.abort()
  process.stdin.on('data', (bytes: Buffer) => instrument.receive(bytes))
  process.stdin.on('end', end).on('error', end)
  instrument.connect(streamSink(process.stdout, { maxQueuedBytes }))
}
