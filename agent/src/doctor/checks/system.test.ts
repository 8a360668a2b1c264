import { expect, test } from 'vitest'
import { judgeSystem, type SystemFacts } from './system.ts'

const properties = {
  LoadState: 'loaded',
  UnitFileState: 'enabled',
  ActiveState: 'active',
  SubState: 'running',
  Result: 'success',
  NRestarts: '0',
  StatusText: 'pend00: linked',
  WatchdogUSec: '30s',
  NeedDaemonReload: 'no',
  ExecMainStatus: '0',
}
const right: Omit<SystemFacts, 'service'> = {
  hardwareWatchdog: '15s',
  hasWatchdogDevice: true,
  isJournalKept: true,
  isJournalCapped: true,
}
const user = { name: 'relay-agent', uid: 990, gids: new Set([990]), isStandIn: false }
const judge = (unit: Partial<typeof properties>, facts: Partial<typeof right> = {}): readonly string[] =>
  judgeSystem({
    ...right,
    ...facts,
    service: { user, environment: '', properties: new Map(Object.entries({ ...properties, ...unit })) },
  }).map(({ level, what }) => `${level}: ${what}`)

test('a service that runs and is watched on a board that is watched is all right', () => {
  expect(judge({}).every((line) => line.startsWith('ok: '))).toBe(true)
  expect(judge({})).toContain('ok: the agent runs: pend00: linked')
})

test.each<[Partial<typeof properties>, RegExp]>([
  [{ LoadState: 'not-found' }, /^warning: there is no unit/],
  [{ UnitFileState: 'disabled' }, /^problem: the service does not start with the machine \(disabled\)/],
  [{ ActiveState: 'inactive' }, /^problem: the agent does not run \(inactive\)/],
  [
    { ActiveState: 'failed', ExecMainStatus: '78', Result: 'exit-code' },
    /^problem: .*configuration is wrong/,
  ],
  [{ ActiveState: 'failed', Result: 'watchdog' }, /^problem: the agent does not run \(failed, watchdog\)/],
  [{ NRestarts: '7' }, /^warning: the agent was restarted 7 times/],
  [{ WatchdogUSec: 'infinity' }, /^warning: systemd does not watch/],
  [{ NeedDaemonReload: 'yes' }, /^warning: the unit was changed/],
])('the unit with %j is told', (unit, what) => {
  expect(judge(unit)).toContainEqual(expect.stringMatching(what))
})

test.each<[Partial<typeof right>, RegExp]>([
  [{ hardwareWatchdog: 'infinity' }, /^warning: the hardware watchdog is off/],
  [{ hardwareWatchdog: '0', hasWatchdogDevice: false }, /^unknown: .*no hardware watchdog/],
  [{ isJournalKept: false }, /^warning: logs are lost/],
  [{ isJournalCapped: false }, /^warning: nobody has limited/],
])('a board with %j is told', (facts, what) => {
  expect(judge({}, facts)).toContainEqual(expect.stringMatching(what))
})

test('where there is no systemd, that is all that is said', () => {
  expect(judgeSystem({ ...right, service: { user, environment: '', properties: undefined } })).toEqual([
    expect.objectContaining({ level: 'unknown' }),
  ])
})
