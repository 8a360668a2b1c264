import { relayProgram } from '../../relay/src/relay-program.ts'
import { sessionProgram } from '../../relay/src/session-program.ts'
import { jumpProgram } from '../../shell/src/jump-program.ts'
import { shellProgram } from '../../shell/src/shell-program.ts'
import { libraryDepends, type PackageDefinition, systemdDepends } from './package-definition.ts'

/**
 * What goes onto the server. `relay`, `session`, `shell` and `jump` are the names under which unit files and scripts of
 * practable/relay and practable/jump call it; no package of Debian or Ubuntu has a program `relay` or `session`.
 */
export const serverPackage: PackageDefinition = {
  name: 'relay-server',
  synopsis: 'joins laboratory experiments and the people who use them',
  description: [
    'relay-server runs on a small server with a public address. Its access API swaps signed tokens for one-time websocket addresses; its websocket relay passes video and data between the boards of experiments and the browsers of students.',
    'With it comes the shell relay, through which administrators reach the ssh servers of boards behind firewalls; it starts once it has a secret. "shell connect" is the other end of that, for the ProxyCommand of ssh.',
    'They stand in for "session relay" and "relay serve" of practable/relay, for its "shell" and for "jump", with their variables, tokens and addresses. Node.js, in the version that it was tested with, comes along in a folder of its own.',
  ],
  depends: [...libraryDepends, ...systemdDepends],
  // Ends TLS in front of it.
  recommends: ['nginx | httpd'],
  suggests: ['relay-agent'],
  bundles: ['relay', 'session', 'shell', 'jump'],
  programs: [relayProgram, sessionProgram, shellProgram, jumpProgram],
  hasSerialPorts: false,
  owns: (file) => !file.includes('relay-agent'),
}
