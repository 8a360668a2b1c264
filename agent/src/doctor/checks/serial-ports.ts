import { gatherHolders, type Holder, strangers } from '../holders.ts'
import { type FileFacts, keyValues, type Machine, outputOf } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import { mayUse, readWriteBits, type ServiceFacts, type ServiceUser, userPhrase } from '../service.ts'
import { ok, problem, type Verdict, warning } from '../verdict.ts'

/** A serial port of the configuration. */
export interface WantedPort {
  readonly name: string
  readonly device: string
}

export interface PortFacts extends WantedPort {
  readonly user: ServiceUser
  readonly file: FileFacts | undefined
  /** Where the name leads: `/dev/ttyACM0`. */
  readonly realPath: string | undefined
  readonly holders: readonly Holder[]
  /** The kernel or a login prompt uses it: `console=serial0` or a getty. */
  readonly isConsole: boolean
}

export interface SerialFacts {
  readonly ports: readonly PortFacts[]
  /** By names that do not change. */
  readonly connected: readonly string[]
  /** Services that open serial ports of strangers. */
  readonly meddlers: readonly string[]
}

const stableNames = '/dev/serial/by-id'

export interface SerialDeps {
  readonly machine: Machine
  readonly service: () => Promise<ServiceFacts>
}

export function serialPortsCheck(wanted: readonly WantedPort[], deps: SerialDeps): Check {
  return {
    area: 'serial ports',
    look: async (signal) => judgeSerial(await gatherSerial(wanted, deps, signal)),
  }
}

const possibleMeddlers = ['ModemManager.service', 'brltty.service', 'brltty-udev.service'] as const

async function gatherSerial(
  wanted: readonly WantedPort[],
  { machine, service }: SerialDeps,
  signal: AbortSignal,
): Promise<SerialFacts> {
  const reals = await Promise.all(wanted.map(({ device }) => machine.realPath(device)))
  const held = reals.filter((path) => path !== undefined)
  const [{ user }, names, holders, commandLine = '', ...active] = await Promise.all([
    service(),
    machine.list(stableNames),
    gatherHolders(machine, held, signal),
    machine.readText('/proc/cmdline'),
    ...possibleMeddlers.map(async (unit) => await isActive(machine, unit)),
  ])
  const ports = wanted.map(async ({ name, device }, index): Promise<PortFacts> => {
    const realPath = reals[index]
    const tty = realPath?.replace(/^\/dev\//, '') ?? ''
    const isLogin = tty !== '' && (await isActive(machine, `serial-getty@${tty}.service`))
    return {
      name,
      device,
      user,
      file: await machine.stat(device),
      realPath,
      holders: holders.get(realPath ?? '') ?? [],
      isConsole: isLogin || (tty !== '' && new RegExp(`\\bconsole=${tty}\\b`).test(commandLine)),
    }
  })
  return {
    ports: await Promise.all(ports),
    connected: names.map((name) => `${stableNames}/${name}`),
    meddlers: possibleMeddlers.filter((_unit, index) => active[index] === true),
  }
}

async function isActive(machine: Machine, unit: string): Promise<boolean> {
  const shown = outputOf(await machine.run('systemctl', ['show', unit, '--property=ActiveState']))
  return keyValues(shown ?? '').get('ActiveState') === 'active'
}

const shownNames = 6

/** Pure. */
export function judgeSerial({ ports, connected, meddlers }: SerialFacts): readonly Verdict[] {
  const listed = connected.slice(0, shownNames).join(', ')
  const there = connected.length === 0 ? 'no USB serial port is connected' : `connected: ${listed}`
  if (ports.length === 0) return [ok(`none is configured; ${there}`)]
  return [
    ...ports.flatMap((port) => judgePort(port, there, connected)),
    ...meddlers.map((unit) =>
      warning(
        `${unit} runs: it opens serial ports to look for ${unit.startsWith('brltty') ? 'Braille displays' : 'modems'}, which resets boards and loses data`,
        `"systemctl disable --now ${unit}" where nothing here needs it`,
      ),
    ),
  ]
}

function judgePort(port: PortFacts, there: string, connected: readonly string[]): readonly Verdict[] {
  const { name, device, user, file, realPath, holders, isConsole } = port
  if (file === undefined)
    return [
      problem(
        `the serial port of ${name}, ${device}, is not there; ${there}`,
        connected.length > 0
          ? 'put one of these names into the configuration, or plug the right board in'
          : 'plug it in; try another cable (many only charge) or port, and see "dmesg | tail" while you do',
      ),
    ]
  const verdicts: Verdict[] = []
  if (file.kind !== 'character')
    verdicts.push(problem(`${name}: ${device} is no device`, 'name a serial port; "ls /dev/serial/by-id"'))
  if (/^\/dev\/tty(?:USB|ACM)[0-9]+$/.test(device))
    verdicts.push(
      warning(
        `${name}: ${device} is a name that changes when something else is plugged in first`,
        `use a name below ${stableNames} (or by-path where boards have no serial number); ${there}`,
      ),
    )
  if (!mayUse(file, user, readWriteBits))
    verdicts.push(
      problem(
        `${name}: ${userPhrase(user)} may not read and write ${realPath ?? device}`,
        `"usermod -aG dialout ${user.name}", then restart the service`,
      ),
    )
  const others = strangers(holders)
  if (others !== undefined)
    verdicts.push(
      problem(
        `${name}: ${realPath ?? device} is used by ${others}`,
        'end it; old units with socat or websocat have to be disabled ("systemctl disable --now …")',
      ),
    )
  if (isConsole)
    verdicts.push(
      problem(
        `${name}: ${realPath ?? device} is the console of this machine`,
        '"raspi-config", Interface Options, Serial Port: no login shell, hardware enabled; then restart the machine',
      ),
    )
  return verdicts.length > 0 ? verdicts : [ok(`${name}: ${device} is there and may be used`)]
}
