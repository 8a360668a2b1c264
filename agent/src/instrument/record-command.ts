import { closeSync, openSync, statSync, unlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '@relay/common/clock'
import type { Command } from '@relay/common/command-line'
import { parseDurationMs } from '@relay/common/config/schema'
import { AppError, errorCode, exitCode, UsageError } from '@relay/common/errors'
import { silentLog } from '@relay/common/log'
import { Instrument, type InstrumentStatus } from './instrument.ts'
import { instrumentOptions } from './instrument-options.ts'
import { namedInstrument, type ReadInstruments } from './named-instrument.ts'

export interface InstrumentCommandParts {
  readonly options: NonNullable<Command['options']>
  readonly read: ReadInstruments
}

const lookEveryMs = 200
const maxBytes = 1_073_741_824

/** `relay-agent record`: records what an instrument says, by hand, until Ctrl-C. */
export function recordCommand({ options, read }: InstrumentCommandParts): Command {
  return {
    usage: 'record <instrument> <file>',
    description:
      'record what an instrument says, with times, until Ctrl-C; the agent must not use it meanwhile',
    positionals: {
      instrument: { describe: 'its name in the configuration file, or its device', type: 'string' },
      file: { describe: 'a new file', type: 'string' },
    },
    options: {
      ...options,
      'baud-rate': { describe: 'in place of what is configured', type: 'number', requiresArg: true },
      for: { describe: 'end after so long, such as 30s', type: 'string', requiresArg: true },
    },
    run: async (args, { environment, stdout, stderr, signal }) => {
      const file = resolve(String(args.file))
      const endAfterMs = durationOf(args.for)
      const config = namedInstrument(String(args.instrument), { args, environment, read })
      const { name, device } = config
      makeFile(file)
      const nobody = { join: () => () => undefined, publish: () => 0 }
      const instrument = new Instrument(
        {
          ...instrumentOptions(config),
          recording: { path: file, maxBytes, files: 1, instrument: name, device },
        },
        { hub: nobody, clock: systemClock, random: Math.random, log: silentLog() },
      )
      const ending = new AbortController()
      const end = (): void => ending.abort()
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
      const cancel = endAfterMs === undefined ? () => undefined : systemClock.after(endAfterMs, end)
      stderr.write(`recording ${device} to ${file}; Ctrl-C ends it\n`)
      const running = instrument.run(ending.signal)
      await watchRecording(instrument, (text) => void stderr.write(`${text}\n`), ending)
      await running
      cancel()
      const { receivedBytes, recording, opened, fault } = instrument.status()
      if (recording?.state === 'failed' || recording?.state === 'full') {
        throw new AppError(
          'RECORDING_FAILED',
          recording.state === 'full'
            ? `${file} is full`
            : `${file} cannot be written: ${recording.fault?.message}`,
        )
      }
      if (opened === undefined) {
        removeEmpty(file)
        throw new AppError(
          'RECORDING_FAILED',
          `nothing was recorded: ${fault?.message ?? `${device} was not open`}`,
        )
      }
      stdout.write(`${file}: ${receivedBytes} bytes of ${device}\n`)
      return exitCode.ok
    },
  }
}

/** Tells what changes, and ends the whole when nothing is recorded any more. */
async function watchRecording(
  instrument: Instrument,
  tell: (text: string) => void,
  ending: AbortController,
): Promise<void> {
  let told = ''
  while (!ending.signal.aborted) {
    const status = instrument.status()
    const now = describeState(status)
    if (now !== '' && now !== told) {
      tell(now)
      told = now
    }
    if (status.recording?.state === 'failed' || status.recording?.state === 'full') ending.abort()
    await systemClock.sleep(lookEveryMs, ending.signal)
  }
}

function describeState({ state, opened, fault }: InstrumentStatus): string {
  if (state === 'open') return `${opened} is open`
  return fault === undefined ? '' : `${fault.message}; it is tried again`
}

/** Now, so that a wrong name is told before somebody waits for hours; what is there already is not touched. */
function makeFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o640))
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') throw new UsageError(`${file} is there already; name a new file`)
    throw new AppError('RECORDING_FAILED', `${file} cannot be written`, { cause })
  }
}

/** So that the same command can be given again. */
function removeEmpty(file: string): void {
  if (statSync(file).size === 0) unlinkSync(file)
}

function durationOf(written: unknown): number | undefined {
  if (typeof written !== 'string') return undefined
  const ms = /^(?:[0-9.]+(?:ms|s|m|h|d))+$/.test(written) ? parseDurationMs(written) : 0
  if (ms <= 0) throw new UsageError(`--for takes a duration such as 30s or 5m, not "${written}"`)
  return ms
}
