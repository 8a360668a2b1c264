import type { Arguments, Process, Program } from '@relay/common/command-line'
import { exitCode, UsageError } from '@relay/common/errors'
import { instrumentKinds } from '../instrument/instrument-program.ts'
import { numberOption } from '../instrument/number-option.ts'
import { cameraKind, checkDevice, serialKind } from './device-check.ts'
import { Lab, type LabOptions } from './lab.ts'

/** What `npm start` runs: a whole laboratory on this machine. */
export const labProgram: Program = {
  name: 'lab',
  version: '0.1.0',
  description: 'A whole laboratory on this machine: relay, agent, camera, instrument and page',
  commands: [
    {
      usage: '$0',
      description: 'run the laboratory until Ctrl-C',
      options: {
        camera: {
          type: 'string',
          requiresArg: true,
          default: 'test-pattern',
          describe: 'a camera such as /dev/video0, or test-pattern',
        },
        serial: {
          type: 'string',
          requiresArg: true,
          default: 'simulated',
          describe: 'a serial port such as /dev/ttyACM0, or simulated',
        },
        kind: { choices: instrumentKinds, default: 'pendulum', describe: 'which instrument is simulated' },
        port: {
          type: 'number',
          requiresArg: true,
          defaultDescription: '8080, or a free one where that is taken',
          describe: 'port of the page; 0: a free one',
        },
        'open-to-network': {
          type: 'boolean',
          default: false,
          describe: 'let other machines in: whoever reaches the page may drive the instrument',
        },
        ssh: {
          type: 'boolean',
          default: true,
          describe: 'ssh to this machine as to a board, where it has an sshd; --no-ssh: without',
        },
      },
      run: runLab,
    },
  ],
}

async function runLab(args: Arguments, process: Process): Promise<number> {
  const options = await readOptions(args)
  await new Lab(options, { say: (line) => void process.stdout.write(`${line}\n`) }).run(process.signal)
  return exitCode.ok
}

async function readOptions(args: Arguments): Promise<LabOptions> {
  const camera = textOption(args, 'camera', 'test-pattern')
  const serial = textOption(args, 'serial', 'simulated')
  const port = args['port'] === undefined ? undefined : numberOption(args, 'port', { min: 0, max: 65_535 })
  if (port !== undefined && !Number.isInteger(port)) throw new UsageError('--port must be a whole number')
  if (camera !== undefined) await checkDevice(camera, cameraKind)
  if (serial !== undefined) await checkDevice(serial, serialKind)
  return {
    camera,
    serial,
    port,
    kind: String(args['kind']),
    isOpenToNetwork: args['open-to-network'] === true,
    hasSsh: args['ssh'] !== false,
  }
}

/** What was given, or undefined for the standard value. */
function textOption(args: Arguments, name: string, standard: string): string | undefined {
  const value = args[name]
  if (typeof value !== 'string' || value.trim() === '')
    throw new UsageError(`--${name} needs a value, such as ${standard}`)
  return value === standard ? undefined : value
}
