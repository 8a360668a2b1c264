import { relayProgram } from '../../relay/src/relay-program.ts'
import { sessionProgram } from '../../relay/src/session-program.ts'
import { libraryDepends, type PackageDefinition, systemdDepends } from './package-definition.ts'

/**
 * What goes onto the server. `relay` and `session` are the names under which unit files and scripts of practable/relay
 * call it; no package of Debian or Ubuntu has a program of either name.
 */
export const serverPackage: PackageDefinition = {
  name: 'relay-server',
  synopsis: 'joins laboratory experiments and the people who use them',
  description: [
    'relay-server runs on a small server with a public address. Its access API swaps signed tokens for one-time websocket addresses; its websocket relay passes video and data between the boards of experiments and the browsers of students.',
    'It stands in for "session relay" and "relay serve" of practable/relay, with their variables, tokens and addresses. Node.js, in the version that it was tested with, comes along in a folder of its own.',
  ],
  depends: [...libraryDepends, ...systemdDepends],
  // Ends TLS in front of it.
  recommends: ['nginx | httpd'],
  suggests: ['relay-agent'],
  bundles: ['relay', 'session'],
  programs: [relayProgram, sessionProgram],
  hasSerialPorts: false,
  owns: (file) => !file.includes('relay-agent'),
}
