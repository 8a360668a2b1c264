import { agentProgram } from '../../agent/src/program.ts'
import { libraryDepends, type PackageDefinition, systemdDepends } from './package-definition.ts'

/** What goes onto the board beside an experiment. */
export const agentPackage: PackageDefinition = {
  name: 'relay-agent',
  synopsis: 'carries cameras and instruments of an experiment to a relay',
  description: [
    'A laboratory experiment is watched and driven in browsers by people anywhere. relay-agent runs on a small board beside it: it supervises the camera (through ffmpeg) and the instrument (over a serial line or MQTT), and keeps outbound websockets to a relay on a server.',
    'The service starts at boot, tells its state in "systemctl status", and recovers by itself from unplugged cables, power cuts and lost networks. Node.js, in the version that it was tested with, comes along in a folder of its own.',
  ],
  depends: [...libraryDepends, ...systemdDepends, 'ffmpeg', 'udev'],
  // Port power for staged recovery of cameras, and what is there when a camera does not do as it should.
  recommends: ['uhubctl', 'v4l-utils'],
  suggests: ['ca-certificates', 'mosquitto'],
  bundles: ['relay-agent', 'relay-host'],
  programs: [agentProgram('v0.2')],
  hasSerialPorts: true,
  owns: (file) => file.includes('relay-agent'),
}
