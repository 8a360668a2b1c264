import { bookingCommand } from '@relay/common/admin/booking-command'
import type { Program } from '@relay/common/command-line'
import { tokenCommand } from '@relay/common/token-command/token-command'
import { versionCommand } from '@relay/common/version-command'
import { clientCommand } from './client/client-command.ts'
import { configCommand } from './client/config-command.ts'
import { connectCommand } from './client/connect-command.ts'
import { statusCommand } from './client/status-command.ts'
import { hostCommand } from './host/host-command.ts'
import { acceptOldFlags } from './old-flags.ts'
import { serveCommand, serveWords, shellRelayWords } from './relay/serve-command.ts'
import { settingsCommand } from './relay/settings-command.ts'
import { shellAdmin } from './shell-admin.ts'
import { shellToken } from './token/token-options.ts'
import { version } from './version.ts'

/** `shell`: ssh to experiments behind firewalls; old commands keep the names and variables of v0.2.2. */
export const shellProgram: Program = {
  name: 'shell',
  description: 'Reaches the sshd of experiments behind firewalls: relay, host and client of ssh tunnels.',
  version,
  prepare: acceptOldFlags('shell'),
  commands: [
    connectCommand,
    clientCommand('shell'),
    configCommand,
    statusCommand,
    hostCommand('shell'),
    serveCommand(serveWords),
    serveCommand(shellRelayWords),
    tokenCommand(shellToken),
    bookingCommand(shellAdmin, 'deny'),
    bookingCommand(shellAdmin, 'allow'),
    settingsCommand('jump'),
    versionCommand(version),
  ],
  epilogue: 'Secrets and tokens are given by file or variable, never as arguments.',
}
