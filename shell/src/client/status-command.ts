import { systemClock } from '@relay/common/clock'
import type { Command } from '@relay/common/command-line'
import { commandLineOptions } from '@relay/common/config/document-config'
import { exitCode } from '@relay/common/errors'
import { loadStatusConfig, statusSpec } from './client-config.ts'
import { explainRefusal } from './client-fault.ts'
import { findTarget } from './session-target.ts'
import { followStats } from './stats-feed.ts'
import { statsTable } from './stats-table.ts'

/** Clears the screen and goes to its upper left corner. */
const clearScreen = '\u001b[H\u001b[2J\u001b[3J'

/** `shell status`: who is connected to what, at a relay of any age. */
export const statusCommand: Command = {
  usage: 'status',
  description: 'list who is connected to which experiment, since when, and how much went through',
  options: {
    ...commandLineOptions(statusSpec),
    json: { type: 'boolean', describe: 'print the reports as the relay sends them, one in each line' },
    watch: { type: 'boolean', describe: 'go on until it is stopped' },
  },
  run: async (args, process) => {
    const config = loadStatusConfig(args, process)
    const target = await findTarget({
      id: 'stats',
      session: config.session,
      token: config.token,
      tokenFile: config.tokenFile,
      tokenDirectory: config.tokens,
      scope: 'stats',
    })
    const isWatch = args['watch'] === true
    const isScreen = isWatch && (process.stdout as { readonly isTTY?: boolean }).isTTY === true
    try {
      await followStats(
        { target, environment: process.environment, signal: process.signal },
        ({ text, connections }) => {
          const table = `${isScreen ? clearScreen : ''}${statsTable(connections)}`
          process.stdout.write(args['json'] === true ? `${JSON.stringify(JSON.parse(text))}\n` : table)
          return isWatch ? 'more' : 'enough'
        },
        systemClock,
      )
    } catch (error) {
      if (process.signal.aborted) return exitCode.ok
      throw explainRefusal(error, target.expiresAtMs, systemClock.nowMs())
    }
    return exitCode.ok
  },
}
