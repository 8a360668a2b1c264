import type { Program } from '@relay/common/command-line'
import { bookingCommand } from './client/booking-command.ts'
import { catCommand } from './client/cat-command.ts'
import { statusCommand } from './client/status-command.ts'
import { relayToken, tokenCommand } from './client/token-command.ts'
import { configCommand } from './config-command.ts'
import { serveCommand } from './serve-command.ts'
import { version } from './version.ts'
import { versionCommand } from './version-command.ts'

/** `relay`: every command of the relay, with the names and variables of the newer generation. */
export const relayProgram: Program = {
  name: 'relay',
  description: 'Joins experiments and the people who use them: access API and websocket relay.',
  version,
  commands: [
    serveCommand('serve', '0.9.3'),
    tokenCommand(relayToken),
    bookingCommand('deny'),
    bookingCommand('allow'),
    statusCommand,
    catCommand,
    configCommand('0.9.3'),
    versionCommand,
  ],
  epilogue:
    'Secrets and tokens are given by file or variable, never as arguments. `relay host` is the agent.',
}
