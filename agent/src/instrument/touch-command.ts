import { systemClock } from '@relay/common/clock'
import type { Command } from '@relay/common/command-line'
import { exitCode, UsageError } from '@relay/common/errors'
import { silentLog } from '@relay/common/log'
import { instrumentOptions } from './instrument-options.ts'
import { namedInstrument } from './named-instrument.ts'
import type { InstrumentCommandParts } from './record-command.ts'
import { TtySource } from './tty/tty-source.ts'

/** `relay-agent touch`: the 1200-baud touch, by hand. */
export function touchCommand({ options, read }: InstrumentCommandParts): Command {
  return {
    usage: 'touch <instrument>',
    description: 'restart a board by opening its port at 1200 baud; the agent must not use it meanwhile',
    positionals: {
      instrument: { describe: 'its name in the configuration file, or its device', type: 'string' },
    },
    options,
    run: async (args, { environment, stdout, stderr, signal }) => {
      const config = namedInstrument(String(args.instrument), { args, environment, read })
      const { source: settings } = instrumentOptions(config)
      if (settings.kind !== 'tty')
        throw new UsageError(`${config.device} is no serial port of this machine: it cannot be touched`)
      const source = new TtySource(
        { ...settings, reset: { ...settings.reset, dtr: 'touch1200' } },
        { clock: systemClock, log: silentLog() },
      )
      stderr.write(`touching ${config.device}; it may take ${source.openWithinMs / 1000} s to come back\n`)
      const nothing = { onData: () => undefined, onClosed: () => undefined }
      const link = await source.open(nothing, signal, undefined)
      await link.close()
      stdout.write(`${link.opened} was touched and can be opened\n`)
      return exitCode.ok
    },
  }
}
