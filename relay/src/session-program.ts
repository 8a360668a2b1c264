import type { Program } from '@relay/common/command-line'
import { tokenCommand } from '@relay/common/token-command/token-command'
import { sessionToken } from './client/token-options.ts'
import { configCommand } from './config-command.ts'
import { serveCommand } from './serve-command.ts'
import { version } from './version.ts'

/** `session`: the names and variables of v0.2.2. `session host` is the agent and starts elsewhere. */
export const sessionProgram: Program = {
  name: 'session',
  description: 'The relay under the names and variables of practable/relay v0.2.2.',
  version,
  commands: [serveCommand('relay', '0.2.2'), tokenCommand(sessionToken), configCommand('0.2.2')],
  epilogue: '`session host` is the agent: see `relay-agent --help`.',
}
