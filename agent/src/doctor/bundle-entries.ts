import { redactedConfig } from '@relay/common/config/document-config'
import { describeError } from '@relay/common/errors'
import { Value } from 'typebox/value'
import { agentConfigSpec } from '../config.ts'
import { agentVersion } from '../version.ts'
import type { BundleEntry } from './bundle.ts'
import type { DoctorReport } from './examine.ts'
import type { CommandEnd, CommandLimits, Machine } from './machine.ts'
import type { OpenedConfig } from './open-config.ts'
import type { Redactor } from './redact.ts'
import { reportText } from './report-text.ts'
import { serviceName } from './service.ts'

export interface BundleSources {
  readonly report: DoctorReport
  readonly configFile: string
  readonly opened: OpenedConfig
  readonly machine: Machine
  readonly redactor: Redactor
  /** What the running agent says of itself; may reject. */
  readonly status: () => Promise<unknown>
}

/**
 * What helps somebody who is far away. Values of JSON are redacted here, where their texts are whole; all texts are by
 * `writeBundle`.
 */
export async function bundleEntries(sources: BundleSources): Promise<readonly BundleEntry[]> {
  const { report, configFile, machine } = sources
  const [status, file = '(it cannot be read)', journal, kernel, usb, cameras, units, devices, versions] =
    await Promise.all([
      statusText(sources),
      machine.readText(configFile),
      printed(
        machine,
        'journalctl',
        ['--unit', serviceName, '--lines', '600', '--no-pager', '--output', 'short-iso'],
        journalLimits,
      ),
      kernelText(machine),
      printed(machine, 'lsusb', []),
      printed(machine, 'v4l2-ctl', ['--list-devices']),
      unitsText(machine),
      devicesText(machine),
      versionsText(machine),
    ])
  return [
    { name: 'report.txt', about: 'what the doctor found', text: reportText(report, { hasColours: false }) },
    { name: 'report.json', about: 'the same for programs', text: json(report) },
    { name: 'versions.txt', about: 'versions of the system and of what the agent uses', text: versions },
    { name: 'agent.yaml', about: 'the configuration file', text: file },
    { name: 'config.json', about: 'the configuration as it holds', text: configText(sources) },
    { name: 'status.json', about: 'what the running agent says of itself', text: status },
    { name: 'journal.txt', about: 'the last 600 lines of its log', text: journal },
    {
      name: 'kernel.txt',
      about: 'what the kernel says of USB, serial ports, cameras, voltage and memory',
      text: kernel,
    },
    { name: 'usb.txt', about: 'what is connected by USB', text: usb },
    { name: 'cameras.txt', about: 'what the cameras are called', text: cameras },
    { name: 'devices.txt', about: 'names of cameras and serial ports', text: devices },
    { name: 'units.txt', about: 'states of the service and of failed units', text: units },
  ]
}

const journalLimits: CommandLimits = { timeoutMs: 8_000, maxOutputBytes: 524_288 }

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

function configText({ opened, redactor }: BundleSources): string {
  if (opened.kind === 'missing') return '(there is no configuration file)\n'
  if (opened.kind === 'wrong') return `(it is wrong)\n${opened.why}\n`
  const written = Value.Encode(agentConfigSpec.schema, structuredClone(opened.config)) as object
  return json(redactor.value(redactedConfig(agentConfigSpec, written)))
}

async function statusText({ status, redactor }: BundleSources): Promise<string> {
  try {
    return json(redactor.value(await status()))
  } catch (error) {
    return `(${describeError(error)})\n`
  }
}

async function printed(
  machine: Machine,
  program: string,
  args: readonly string[],
  limits?: CommandLimits,
): Promise<string> {
  return textOf(program, await machine.run(program, args, limits))
}

function textOf(program: string, end: CommandEnd): string {
  if (end.kind === 'missing') return `(${program} is not installed)\n`
  if (end.kind === 'late') return `(${program} did not end in time)\n${end.stdout}${end.stderr}`
  return end.code === 0 ? end.stdout : `(${program} ended with ${end.code})\n${end.stdout}${end.stderr}`
}

const kernelLines =
  /usb|tty|cdc_acm|ch341|cp210|ftdi|uvc|video|v4l|volt|throttl|oom|out of memory|mmc|I\/O error|watchdog|thermal|segfault/i
const maxKernelLines = 800

async function kernelText(machine: Machine): Promise<string> {
  const text = await printed(machine, 'dmesg', [], { maxOutputBytes: 2_097_152 })
  return `${text
    .split('\n')
    .filter((line) => kernelLines.test(line) || line.startsWith('('))
    .slice(-maxKernelLines)
    .join('\n')}\n`
}

async function unitsText(machine: Machine): Promise<string> {
  const parts = await Promise.all([
    printed(machine, 'systemctl', ['status', serviceName, '--no-pager', '--full', '--lines=0']),
    printed(machine, 'systemctl', ['cat', serviceName, '--no-pager']),
    printed(machine, 'systemctl', ['list-units', '--failed', '--no-pager', '--plain']),
    printed(machine, 'timedatectl', ['show']),
  ])
  return parts.join('\n')
}

async function devicesText(machine: Machine): Promise<string> {
  const directories = ['/dev/serial/by-id', '/dev/serial/by-path', '/dev/v4l/by-id', '/dev/v4l/by-path']
  const texts = await Promise.all(
    directories.map(async (directory) => {
      const names = (await machine.list(directory)).slice(0, 256)
      const links = await Promise.all(names.map((name) => machine.readLink(`${directory}/${name}`)))
      return [directory, ...names.map((name, index) => `  ${name} -> ${links[index] ?? '?'}`)].join('\n')
    }),
  )
  return `${texts.join('\n')}\n`
}

async function versionsText(machine: Machine): Promise<string> {
  const [system = '', model = '', ffmpeg, kernel] = await Promise.all([
    machine.readText('/etc/os-release'),
    machine.readText('/proc/device-tree/model'),
    printed(machine, 'ffmpeg', ['-hide_banner', '-version']),
    printed(machine, 'uname', ['-a']),
  ])
  return [
    `relay-agent ${agentVersion}`,
    `node ${process.version} ${process.arch}`,
    model.replaceAll('\0', ''),
    kernel.trim(),
    system.trim(),
    ffmpeg.split('\n').slice(0, 3).join('\n'),
    '',
  ].join('\n')
}
