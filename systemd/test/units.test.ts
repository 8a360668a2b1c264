import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitCode } from '@relay/common/errors'
import { runCommand } from './container/run-command.ts'

const systemdFolder = join(import.meta.dirname, '..')
const unitsFolder = join(systemdFolder, 'units')
const ofPackages = await readdir(unitsFolder)
/** Whole units that administrators copy. */
const exampleUnits = (await readdir(join(systemdFolder, 'examples'))).filter((name) =>
  name.endsWith('.service'),
)
const units = [...ofPackages, ...exampleUnits]
const services = units.filter((name) => name.endsWith('.service'))

/** What `systemd-analyze security` may give at most, of 10. */
const mostExposure: Readonly<Record<string, number>> = {
  'relay-agent.service': 2,
  'relay.service': 1.5,
  'shell-relay.service': 1.5,
  'shell-host.service': 1.5,
}

function readUnit(name: string): Promise<string> {
  const folder = ofPackages.includes(name) ? unitsFolder : join(systemdFolder, 'examples')
  return readFile(join(folder, name), 'utf8')
}

/** `--recursive-errors` and `--offline` came with 250; Ubuntu 22.04 has 249. */
const { stdout: version } = await runCommand('systemd-analyze', ['--version'])
const isTooOld = Number(/^systemd (\d+)/.exec(version)?.[1] ?? 0) < 250
const ifNew = isTooOld ? ' (skipped: it needs systemd-analyze 250)' : ''

describe('the units', () => {
  let root = ''

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'relay-units-'))
    await mkdir(join(root, 'units'))
    await mkdir(join(root, 'programs'))
    for (const name of units) {
      const text = await readUnit(name)
      await writeFile(join(root, 'units', name), await withPrograms(text))
    }
  })

  afterAll(() => rm(root, { recursive: true, force: true }))

  /** The same text with programs that are there: none of ours is installed on the machine of a test. */
  async function withPrograms(text: string): Promise<string> {
    for (const [, program = ''] of text.matchAll(/^ExecStart=\/usr\/bin\/(\S+)/gm)) {
      const path = join(root, 'programs', program)
      await writeFile(path, '#!/bin/sh\n')
      await chmod(path, 0o755)
    }
    return text.replaceAll(/^ExecStart=\/usr\/bin\//gm, `ExecStart=${root}/programs/`)
  }

  const verify = async (name: string) =>
    await runCommand('systemd-analyze', [
      'verify',
      '--recursive-errors=yes',
      '--man=no',
      join(root, 'units', name),
    ])

  test.skipIf(isTooOld).each(units)(`%s has nothing that systemd complains about${ifNew}`, async (name) => {
    expect(await verify(name)).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test.skipIf(isTooOld)(`would not pass with a key that systemd does not know${ifNew}`, async () => {
    const text = await readFile(join(root, 'units', 'relay-agent.service'), 'utf8')
    await writeFile(
      join(root, 'units', 'wrong.service'),
      text.replace('[Service]', '[Service]\nWatchdog=30s'),
    )

    const { code, stderr } = await verify('wrong.service')

    expect(code).not.toBe(0)
    expect(stderr).toMatch(/Unknown key.*'Watchdog'/)
  })

  test.skipIf(isTooOld).each(services)(`%s is as little exposed as it must be${ifNew}`, async (name) => {
    const threshold = mostExposure[name]
    if (threshold === undefined) throw new Error(`${name} has no limit in this test`)
    const { code, stdout } = await runCommand('systemd-analyze', [
      'security',
      '--offline=true',
      '--no-pager',
      `--threshold=${threshold * 10}`,
      join(root, 'units', name),
    ])

    const [, exposure = 'none'] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? []
    expect(Number(exposure)).toBeLessThanOrEqual(threshold)
    expect(code).toBe(0)
  })

  test.each(services)('%s is started for ever, but not with a wrong configuration', async (name) => {
    const text = await readUnit(name)

    expect(text).toMatch(/^Restart=always$/m)
    expect(text).toMatch(/^StartLimitIntervalSec=0$/m)
    expect(text).toMatch(new RegExp(`^RestartPreventExitStatus=${exitCode.config}$`, 'm'))
  })

  test.each(units)('%s uses no key that an old systemd would misread', async (name) => {
    const text = await readUnit(name)
    const keys = [...text.matchAll(/^([A-Za-z]+)=/gm)].map(([, key]) => key ?? '')

    expect(keys.filter((key) => youngerThan245.has(key))).toEqual(
      keys.filter((key) => ignoredBefore.has(key)),
    )
  })
})

/** Keys that came after 245, as the man pages date them; an older systemd ignores each with a line in its log. */
const youngerThan245 = new Set(
  [
    'RootImageOptions MountImages ProtectProc ProcSubset TimeoutCleanSec LoadCredential SetCredential',
    'LoadCredentialEncrypted SetCredentialEncrypted ExecPaths NoExecPaths ExtensionImages RestrictFileSystems',
    'RestrictNetworkInterfaces OpenFile ImportCredential RestartSteps RestartMaxDelaySec RestartMode',
    'MemoryPressureWatch FileDescriptorStorePreserve SurviveFinalKillSignal ManagedOOMPreference',
  ].flatMap((line) => line.split(' ')),
)

/** Those of them without which the service does its work all the same. */
const ignoredBefore = new Set(['LoadCredential', 'SetCredential', 'ProtectProc', 'ProcSubset'])
