import type { Arguments, Process } from '@relay/common/command-line'
import { loadConfig } from '@relay/common/config/load-config'
import { errorCode, UsageError } from '@relay/common/errors'
import { type AgentConfig, agentConfigSpec, type InstrumentConfig } from '../config.ts'
import { checkInstrumentSettings } from './check-instrument.ts'

/** Reads the configuration file that holds for these arguments. */
export type ReadInstruments = (
  args: Arguments,
  environment: Process['environment'],
) => Pick<AgentConfig, 'instruments'>

/**
 * The instrument that a person means: by its name in the configuration file, or by its device, with standard settings
 * where the file does not know it. A file that is not there is no fault for a device.
 * @throws {UsageError} for a name that stands nowhere, and for an address that is none.
 * @throws {ConfigError} where the file is wrong.
 */
export function namedInstrument(
  wanted: string,
  {
    args,
    environment,
    read,
  }: {
    readonly args: Arguments
    readonly environment: Process['environment']
    readonly read: ReadInstruments
  },
): InstrumentConfig {
  const isDevice = /[/:]/.test(wanted)
  const instruments = readLeniently(
    isDevice && args.config === undefined,
    () => read(args, environment).instruments,
  )
  const found = instruments.find(({ name, device }) => name === wanted || device === wanted)
  const baudRate = givenBaudRate(args['baud-rate'])
  if (found !== undefined) return { ...found, ...baudRate }
  if (!isDevice) {
    const names = instruments.map(({ name }) => name).join(', ')
    throw new UsageError(
      `there is no instrument "${wanted}" in the configuration file; ${names === '' ? 'it names none' : `it names ${names}`}; a device is written with its path`,
    )
  }
  const made = standardInstrument(wanted)
  const [finding] = checkInstrumentSettings(made, '')
  // It may hold a password, in a place where none belongs.
  if (finding !== undefined) throw new UsageError(`no such device: ${finding.what}`)
  return { ...made, ...baudRate }
}

function readLeniently(
  mayBeMissing: boolean,
  read: () => readonly InstrumentConfig[],
): readonly InstrumentConfig[] {
  try {
    return read()
  } catch (error) {
    if (mayBeMissing && errorCode(error) === 'CONFIG_FILE_MISSING') return []
    throw error
  }
}

function givenBaudRate(given: unknown): { readonly baudRate?: number } {
  if (given === undefined) return {}
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 50 || given > 12_000_000)
    throw new UsageError('--baud-rate takes a whole number, such as 9600')
  return { baudRate: given }
}

function standardInstrument(device: string): InstrumentConfig {
  const text = JSON.stringify({ instruments: [{ name: 'instrument', device }] })
  const [made] = loadConfig(agentConfigSpec, { file: { path: 'arguments', text } }).instruments
  if (made === undefined) throw new UsageError(`${device} is no device`)
  return made
}
