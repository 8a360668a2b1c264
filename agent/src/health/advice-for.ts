/**
 * What a person can do about a fault whose message does not say it. Faults that heal by themselves, and those whose
 * message names the remedy, are not here.
 */
const adviceByCode: ReadonlyMap<string, string> = new Map([
  ['CAMERA_LOST', 'look at its plug and cable; it comes back by itself'],
  ['CAMERA_FROZEN', 'pull its plug and put it back if it does not come back by itself'],
  ['CAMERA_BLACK', 'switch the light on, and look at its lens'],
  ['ENCODER_STALLED', 'it is started again; if that happens often, look at cable and power of the camera'],
  ['ENCODER_ENDED', 'it is started again; the last lines of ffmpeg below say more'],
  ['ENCODER_OPTIONS_WRONG', 'correct the camera in the configuration; the last lines of ffmpeg say what'],
  ['ENCODER_START_FAILED', 'look whether video.ffmpeg names the right program'],
  ['INSTRUMENT_LOST', 'look at its plug and cable; it comes back by itself'],
  ['INSTRUMENT_NOT_SERIAL', 'name another device in the configuration; "ls /dev/serial/by-id" shows them'],
  ['INSTRUMENT_STUCK', 'switch the instrument off and on if it does not come back'],
  ['INSTRUMENT_SILENT', 'switch the instrument off and on if it does not come back'],
  ['INSTRUMENT_UNREACHABLE', 'look at the network and at the server of the serial line'],
  ['INSTRUMENT_OPEN_HANGS', 'pull its plug and put it back; if that does not help, start this machine anew'],
  ['ACCESS_UNREACHABLE', 'look at the network of this machine and at relay.access'],
  ['ACCESS_REFUSED', 'get a new token for this topic and put it into its file; compare the clocks as well'],
  ['ACCESS_BAD_ANSWER', 'look whether relay.access is the address of an access API'],
  ['RELAY_UNREACHABLE', 'look at the network of this machine; a firewall may stop websockets'],
  ['RELAY_REFUSED', 'ask who runs the relay if that lasts'],
  ['RELAY_MUTE', 'get a new token for this topic if that lasts'],
  ['RELAY_LOST', 'it is dialled again by itself'],
  ['RELAY_SILENT', 'it is dialled again by itself'],
  ['RELAY_CLOSED', 'it is dialled again by itself'],
  ['TOKEN_FILE_MISSING', 'put the token there; it is used within seconds'],
  ['TOKEN_FILE_UNREADABLE', 'let the user of the agent read it'],
  ['TOKEN_WRONG', 'put the token there, alone on one line'],
  [
    'SSHD_UNREACHABLE',
    'look whether it runs ("systemctl status ssh"), and at shell.sshd in the configuration',
  ],
  ['PROXY_FAILED', 'look at HTTPS_PROXY of the agent and at the proxy'],
  ['UNEXPECTED', 'this is a bug: please report it with the log'],
])

/** What to do about a fault, as the end of a sentence; undefined where its message says it. */
export function adviceFor(code: string): string | undefined {
  return adviceByCode.get(code)
}
