import type { Program } from '@relay/common/command-line'
import { serveCommand } from './serve-command.ts'
import { version } from './version.ts'

/** `relay`: every command of the relay, with the names and variables of the newer generation. */
export const relayProgram: Program = {
  name: 'relay',
  description: 'Joins experiments and the people who use them: access API and websocket relay.',
  version,
  commands: [serveCommand('serve', '0.9.3')],
}
