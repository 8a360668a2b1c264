import type { Program } from '@relay/common/command-line'
import { tokenCommand } from '@relay/common/token-command/token-command'
import { versionCommand } from '@relay/common/version-command'
import { clientCommand } from './client/client-command.ts'
import { hostCommand } from './host/host-command.ts'
import { acceptOldFlags } from './old-flags.ts'
import { pipeCommand } from './pipe/pipe-command.ts'
import { jumpRelayWords, serveCommand } from './relay/serve-command.ts'
import { settingsCommand } from './relay/settings-command.ts'
import { jumpToken } from './token/token-options.ts'
import { version } from './version.ts'

/** `jump`: the names and variables of the successor of v0.2.2. */
export const jumpProgram: Program = {
  name: 'jump',
  description: 'The shell programs under the names and variables of practable/jump.',
  version,
  prepare: acceptOldFlags('jump'),
  commands: [
    serveCommand(jumpRelayWords),
    hostCommand('jump'),
    clientCommand('jump'),
    tokenCommand(jumpToken),
    pipeCommand,
    settingsCommand('jump'),
    versionCommand(version),
  ],
  epilogue: 'More commands are under their new name: see `shell --help`.',
}
