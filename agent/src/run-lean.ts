import { systemClock } from '@relay/common/clock'
import type { Process } from '@relay/common/command-line'
import { AppError, errorCode, exitCode } from '@relay/common/errors'
import { endWithFault, writeFault } from '@relay/common/write-fault'
import { type Ended, readConfigInChild } from './config-child.ts'
import type { ReadConfig } from './read-config.ts'
import { runAgent } from './run-agent.ts'

/** `relay-agent run` as a service: a process that holds nothing but what the agent needs (see `config-child.ts`). */
export async function runLean(argv: readonly string[], own: Process): Promise<number> {
  try {
    return await readAndRun(argv, own)
  } catch (error) {
    // Told to stop while the configuration was read: the reader was ended for that.
    if (own.signal.aborted && errorCode(error) === 'CONFIG_READER_FAILED') return exitCode.ok
    return endWithFault('relay-agent', error, own)
  }
}

async function readAndRun(
  argv: readonly string[],
  { environment, stderr, signal, onHangUp }: Process,
): Promise<number> {
  // From now on, so that an order that comes early ends nobody, and is carried out later.
  let isOrdered = false
  let onOrder = (): void => {
    isOrdered = true
  }
  onHangUp?.(() => onOrder())
  const readOrEnd = (): Promise<ReadConfig | Ended> =>
    readConfigInChild(argv, { clock: systemClock, environment }, signal)
  const first = await readOrEnd()
  if ('exitCode' in first) return first.exitCode
  const { config, warnings } = first
  for (const { where, what } of warnings)
    writeFault(`relay-agent: warning: ${where}: ${what}\n`, { stderr, environment }, 'warning')
  const read = async (): Promise<ReadConfig> => {
    const again = await readOrEnd()
    if ('exitCode' in again)
      throw new AppError(
        'CONFIG_READER_FAILED',
        `the process that reads the configuration ended with ${again.exitCode}; it said why`,
      )
    return again
  }
  await runAgent({
    config,
    apiDestination: '',
    requiresLocalApi: false,
    logLevel: config.log.level,
    environment,
    signal,
    reload: {
      read,
      onOrder: (listener) => {
        onOrder = listener
        if (isOrdered) listener()
      },
    },
  })
  return exitCode.ok
}
