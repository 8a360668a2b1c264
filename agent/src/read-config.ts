import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { systemClock } from '@relay/common/clock'
import { invalidConfig } from '@relay/common/config/invalid-config'
import { loadConfig, placeInFile } from '@relay/common/config/load-config'
import type { Problem } from '@relay/common/config/problems'
import { type ConfigFile, readYaml } from '@relay/common/config/read-yaml'
import { ConfigError, errorCode } from '@relay/common/errors'
import { checkConfig, type Finding } from './check-config.ts'
import { checkTokenFile } from './check-token-file.ts'
import { type AgentConfig, agentConfigSpec } from './config.ts'
import { parseInstrumentAddress } from './instrument/instrument-address.ts'
import { mqttFileKeys, warnOfMqtt, withMqttPaths } from './mqtt/check-mqtt.ts'
import { warnOfShell } from './shell-host/check-shell.ts'
import { findProgram } from './video/find-program.ts'
import { findSameCameras } from './video/same-camera.ts'

export interface ConfigRequest {
  /** Path of the file. */
  readonly path: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly arguments: Readonly<Record<string, unknown>>
}

export interface ReadConfig {
  readonly config: AgentConfig
  /** What is right as a configuration and still will not work on this machine as it is now. */
  readonly warnings: readonly Problem[]
}

/**
 * Reads and checks the configuration; file names in it come back absolute.
 * @throws {ConfigError} `CONFIG_FILE_MISSING`, `CONFIG_FILE_UNREADABLE`, `CONFIG_INVALID` with every problem.
 */
export function readConfig({ path, environment, arguments: given }: ConfigRequest): ReadConfig {
  const file: ConfigFile = { path, text: readText(path) }
  const loaded = loadConfig(agentConfigSpec, { file, environment, arguments: given })
  const { lines } = readYaml(file)
  const located = (findings: readonly Finding[]): readonly Problem[] =>
    findings.map(({ pointer, what }) => ({ where: placeInFile(pointer, path, lines), what }))
  const problems = located(checkConfig(loaded))
  if (problems.length > 0) throw invalidConfig(agentConfigSpec.program, problems)
  const config = withPaths(loaded, [environment.CREDENTIALS_DIRECTORY ?? '', dirname(path)])
  return { config, warnings: located(findMissing(config, environment.PATH)) }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw errorCode(cause) === 'ENOENT'
      ? new ConfigError(
          'CONFIG_FILE_MISSING',
          `the configuration file ${path} does not exist; name one with --config`,
        )
      : new ConfigError('CONFIG_FILE_UNREADABLE', `the configuration file ${path} cannot be read`, { cause })
  }
}

/** Token files by relative name: the first directory that has it, else the last. */
function withPaths(config: AgentConfig, directories: readonly string[]): AgentConfig {
  const places = directories.filter((directory) => directory !== '')
  const resolve = (name: string): string => {
    if (isAbsolute(name)) return name
    const candidates = places.map((directory) => join(directory, name))
    return candidates.find((candidate) => existsSync(candidate)) ?? candidates.at(-1) ?? name
  }
  const topics = config.topics.map((topic) => ({ ...topic, tokenFile: resolve(topic.tokenFile) }))
  const given = (name: string): string => (name === '' ? '' : resolve(name))
  const { shell } = config
  const hostKeys = { ...shell.hostKeys, deviceKeyFile: given(shell.hostKeys.deviceKeyFile) }
  return {
    ...config,
    topics,
    mqttInstruments: withMqttPaths(config.mqttInstruments, resolve),
    shell: { ...shell, tokenFile: given(shell.tokenFile), hostKeys },
  }
}

function findMissing(config: AgentConfig, searchPath: string | undefined): readonly Finding[] {
  const findings: Finding[] = []
  const tell = (what: string | undefined, pointer: string): void => {
    if (what !== undefined) findings.push({ pointer, what })
  }
  const expect = (file: string, pointer: string, what: string): void => {
    if (file !== '' && !existsSync(file)) findings.push({ pointer, what: `${what} ${file} is not there now` })
  }
  for (const [index, topic] of config.topics.entries())
    tell(checkTokenFile(topic.tokenFile, topic.topic, systemClock.nowMs()), `/topics/${index}/tokenFile`)
  for (const [index, camera] of config.cameras.entries())
    expect(camera.device, `/cameras/${index}/device`, 'the camera')
  findings.push(...findSameCameras(config.cameras))
  for (const [index, instrument] of config.instruments.entries())
    expect(pathOfDevice(instrument.device), `/instruments/${index}/device`, 'the serial port')
  for (const [index, instrument] of config.mqttInstruments.entries())
    for (const key of mqttFileKeys) expect(instrument[key], `/mqttInstruments/${index}/${key}`, 'the file')
  findings.push(...warnOfMqtt(config), ...warnOfShell(config, systemClock.nowMs(), existsSync))
  expect(config.recordings.directory, '/recordings/directory', 'the directory')
  if (config.cameras.length > 0 && findProgram(config.video.ffmpeg, searchPath) === undefined)
    findings.push({ pointer: '/video/ffmpeg', what: `the program ${config.video.ffmpeg} is not installed` })
  return findings
}

/** '' for what is no file of this machine. */
function pathOfDevice(device: string): string {
  const parsed = parseInstrumentAddress(device)
  return parsed.ok && 'path' in parsed.address ? parsed.address.path : ''
}
