import { bookingCommand } from '@relay/common/admin/booking-command'
import type { Program } from '@relay/common/command-line'
import { tokenCommand } from '@relay/common/token-command/token-command'
import { versionCommand } from '@relay/common/version-command'
import { relayAdmin } from './client/admin-tool.ts'
import { catCommand } from './client/cat-command.ts'
import { statusCommand } from './client/status-command.ts'
import { relayToken } from './client/token-options.ts'
import { configCommand } from './config-command.ts'
import { serveCommand } from './serve-command.ts'
import { version } from './version.ts'

/** `relay`: every command of the relay, with the names and variables of the newer generation. */
export const relayProgram: Program = {
  name: 'relay',
  description: 'Joins experiments and the people who use them: access API and websocket relay.',
  version,
  commands: [
    serveCommand('serve', '0.9.3'),
    tokenCommand(relayToken),
    bookingCommand(relayAdmin, 'deny'),
    bookingCommand(relayAdmin, 'allow'),
    statusCommand,
    catCommand,
    configCommand('0.9.3'),
    versionCommand(version),
  ],
  epilogue:
    'Secrets and tokens are given by file or variable, never as arguments. `relay host` is the agent.',
}
