import { keyValues, type Machine, outputOf } from '../machine.ts'
import type { Check } from '../run-checks.ts'
import type { ServiceFacts } from '../service.ts'
import { ok, problem, unknown, type Verdict, warning } from '../verdict.ts'

export interface SystemFacts {
  readonly service: ServiceFacts
  /** `RuntimeWatchdogUSec` of the manager: `infinity` or `0` where the board is not watched. */
  readonly hardwareWatchdog: string | undefined
  /** There is a watchdog that could be used. */
  readonly hasWatchdogDevice: boolean
  /** The logs outlive a restart. */
  readonly isJournalKept: boolean
  /** Somebody has said how large they may become. */
  readonly isJournalCapped: boolean
}

export interface SystemDeps {
  readonly machine: Machine
  readonly service: () => Promise<ServiceFacts>
}

export function systemCheck({ machine, service }: SystemDeps): Check {
  return { area: 'systemd', look: async () => judgeSystem(await gatherSystem(machine, await service())) }
}

const journalDirectories = [
  '/usr/lib/systemd/journald.conf.d',
  '/etc/systemd/journald.conf.d',
  '/run/systemd/journald.conf.d',
]

export async function gatherSystem(machine: Machine, service: ServiceFacts): Promise<SystemFacts> {
  const [manager, device, journal, settings] = await Promise.all([
    machine.run('systemctl', ['show', '--property=RuntimeWatchdogUSec']),
    machine.stat('/dev/watchdog'),
    machine.stat('/var/log/journal'),
    journalSettings(machine),
  ])
  const storage = settings.get('Storage') ?? 'auto'
  const shown = outputOf(manager)
  return {
    service,
    hardwareWatchdog: shown === undefined ? undefined : keyValues(shown).get('RuntimeWatchdogUSec'),
    hasWatchdogDevice: device !== undefined,
    isJournalKept: storage === 'persistent' || (storage === 'auto' && journal !== undefined),
    isJournalCapped: settings.has('SystemMaxUse') || settings.has('SystemKeepFree'),
  }
}

/** Files in the order in which later ones win. */
async function journalSettings(machine: Machine): Promise<ReadonlyMap<string, string>> {
  const lists = await Promise.all(
    journalDirectories.map(async (directory) =>
      (await machine.list(directory))
        .filter((name) => name.endsWith('.conf'))
        .slice(0, 64)
        .map((name) => `${directory}/${name}`),
    ),
  )
  const files = ['/etc/systemd/journald.conf', ...lists.flat()]
  const texts = await Promise.all(files.map((path) => machine.readText(path)))
  // Comments begin a line; their keys begin with "#" and are never asked for.
  return keyValues(texts.map((text) => text ?? '').join('\n'))
}

/** Pure. */
export function judgeSystem(facts: SystemFacts): readonly Verdict[] {
  const { properties } = facts.service
  if (properties === undefined) return [unknown('systemd does not run here, or cannot be asked')]
  return [...judgeUnit(properties), ...judgeBoard(facts), ...judgeJournal(facts)]
}

function judgeUnit(properties: ReadonlyMap<string, string>): readonly Verdict[] {
  const value = (name: string): string => properties.get(name) ?? ''
  if (value('LoadState') !== 'loaded')
    return [
      warning(
        'there is no unit relay-agent.service: nothing starts the agent when the machine starts',
        'install the package: "apt install ./relay-agent_….deb"',
      ),
    ]
  const verdicts: Verdict[] = []
  if (!/^(?:enabled|static|linked|generated)/.test(value('UnitFileState')))
    verdicts.push(
      problem(
        `the service does not start with the machine (${value('UnitFileState') || 'not enabled'})`,
        '"systemctl enable relay-agent"',
      ),
    )
  if (value('NeedDaemonReload') === 'yes')
    verdicts.push(
      warning(
        'the unit was changed and is not read yet',
        '"systemctl daemon-reload", then restart the agent',
      ),
    )
  verdicts.push(judgeActivity(value))
  const restarts = Number(value('NRestarts'))
  if (restarts > 0)
    verdicts.push(
      warning(
        `the agent was restarted ${restarts} times since the service was started`,
        '"journalctl -u relay-agent -p warning" says why',
      ),
    )
  if (isOff(value('WatchdogUSec')))
    verdicts.push(
      warning(
        'systemd does not watch whether the agent still turns (WatchdogSec)',
        'use the unit of the package, which has it',
      ),
    )
  return verdicts
}

function judgeActivity(value: (name: string) => string): Verdict {
  const state = value('ActiveState')
  if (state === 'active' || state === 'reloading')
    return ok(value('StatusText') === '' ? 'the agent runs' : `the agent runs: ${value('StatusText')}`)
  if (state === 'activating')
    return warning('the agent is starting, or waits to be started again', '"systemctl status relay-agent"')
  if (value('ExecMainStatus') === '78')
    return problem('the agent has ended because its configuration is wrong (78)', 'see configuration')
  return problem(
    `the agent does not run (${state}${value('Result') === 'success' ? '' : `, ${value('Result')}`})`,
    '"systemctl start relay-agent"; "journalctl -u relay-agent" says why it ended',
  )
}

function judgeBoard({ hardwareWatchdog, hasWatchdogDevice }: SystemFacts): readonly Verdict[] {
  if (!isOff(hardwareWatchdog ?? '')) return [ok(`the hardware watchdog is on (${hardwareWatchdog})`)]
  return hasWatchdogDevice
    ? [
        warning(
          'the hardware watchdog is off: a board that hangs stays so until somebody comes',
          'set RuntimeWatchdogSec=15 in /etc/systemd/system.conf.d/watchdog.conf below [Manager], then restart the machine',
        ),
      ]
    : [unknown('this machine shows no hardware watchdog')]
}

function judgeJournal({ isJournalKept, isJournalCapped }: SystemFacts): readonly Verdict[] {
  if (!isJournalKept)
    return [
      warning(
        'logs are lost when the machine restarts',
        '"mkdir /var/log/journal", or Storage=persistent in journald.conf',
      ),
    ]
  return isJournalCapped
    ? [ok('logs outlive a restart, and their size is limited')]
    : [
        warning(
          'nobody has limited the size of the logs: they take up to a tenth of the card',
          'SystemMaxUse=100M in /etc/systemd/journald.conf.d/size.conf below [Journal]',
        ),
      ]
}

/** Of a time that systemd shows: `0`, `infinity` or nothing. */
function isOff(time: string): boolean {
  return time === '' || time === '0' || time === 'infinity' || time === '[not set]'
}
