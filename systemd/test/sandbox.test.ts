import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InstalledLab } from './container/installed-lab.ts'
import { SerialBoard } from './container/serial-board.ts'
import { whyNoContainer } from './container/why-no-container.ts'

const why =
  whyNoContainer() ?? (process.arch === 'x64' ? undefined : 'the probe knows the system calls of x86-64 only')
/** A character device that anybody may open, which no service of ours has a use for. */
const otherDevice = '/dev/ttyOther'
const devices = [SerialBoard.device, otherDevice, '/dev/net/tun', '/dev/null']

/** Their ports are handed to them: they can make no connection of their own, and the journal is an open socket. */
const neededByServers: readonly string[] = [
  'state folder written',
  'own /tmp written',
  'unix socket',
  'writable memory executed',
  'device /dev/null',
]

/** What each service must be able to do, of all that the probe tries. The rest it must not. */
const allowedIn: Readonly<Record<string, readonly string[]>> = {
  'relay-agent.service': [
    'state folder written',
    'own /tmp written',
    'unix socket',
    'internet socket',
    'internet 6 socket',
    'netlink socket',
    'writable memory executed',
    'connections of this machine read',
    'memory of processes counted',
    `device ${SerialBoard.device}`,
    'device /dev/null',
  ],
  'relay.service': neededByServers,
  'shell-relay.service': neededByServers,
}

describe.skipIf(why !== undefined)(`the sandbox${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: InstalledLab
  let asRoot: ReadonlyMap<string, string>

  beforeAll(async () => {
    lab = await InstalledLab.install({
      title: 'sandbox',
      packages: ['relay-server', 'relay-agent'],
      devices: { [otherDevice]: '/dev/fuse' },
    })
    await lab.setUpShellRelay()
    await new SerialBoard(lab.container).plug()
    const probe = await readFile(join(import.meta.dirname, 'probe/sandbox-probe.pl'), 'utf8')
    await lab.container.write('/opt/sandbox-probe.pl', probe)
    await lab.container.shell('mkdir -p /home/person; echo secret > /root/secret; touch /tmp/of-others')
    await lab.container.shell(`perl /opt/sandbox-probe.pl /tmp/as-root ${devices.join(' ')}`)
    asRoot = outcomesIn(await lab.container.shell('cat /tmp/as-root'))
  })
  // Absent where the installation failed.
  afterAll(async () => await (lab as InstalledLab | undefined)?.[Symbol.asyncDispose]())

  /** What the probe finds where the program of that service runs: before it, with the same settings. */
  async function probed(unit: string): Promise<ReadonlyMap<string, string>> {
    const state = `/var/lib/${unit.replace('.service', '')}`
    await lab.dropIn(unit, 'probe', [
      '[Service]',
      `ExecStartPre=/usr/bin/perl /opt/sandbox-probe.pl ${state}/report ${devices.join(' ')}`,
      ...(unit === 'relay-agent.service' ? ['DeviceAllow=char-pts rw'] : []),
    ])
    await lab.container.shell(`systemctl restart ${unit}`)
    return outcomesIn(await lab.container.shell(`cat ${state}/report`))
  }

  test('denies nothing by accident: outside of it root can do all that the probe tries', () => {
    const denied = [...asRoot].filter(([name, outcome]) => isTry(name) && outcome !== 'allowed')

    expect(asRoot.size).toBeGreaterThan(40)
    expect(denied).toEqual([])
  })

  test.each(Object.entries(allowedIn))(
    'of %s allows what the service needs, and nothing else',
    async (unit, needed) => {
      const outcomes = await probed(unit)

      expect([...outcomes.keys()]).toEqual([...asRoot.keys()])
      const allowed = [...outcomes].filter(([, outcome]) => outcome === 'allowed').map(([name]) => name)
      expect(allowed.toSorted()).toEqual(needed.toSorted())
      // For the reason that it should have: the sandbox, not a mistake of the probe.
      const words = new Set([...outcomes].filter(([name]) => isTry(name)).map(([, outcome]) => outcome))
      const refusals = new Set(['allowed', 'EPERM', 'EACCES', 'EROFS', 'ENOENT', 'EAFNOSUPPORT'])
      expect([...words].filter((word) => !refusals.has(word))).toEqual([])
      expect(outcomes.get('NoNewPrivs')).toBe('1')
      expect(outcomes.get('Seccomp')).toBe('2')
      expect(outcomes.get('CapBnd')).toBe('0000000000000000')
      expect(outcomes.get('CapEff')).toBe('0000000000000000')
    },
  )

  test('of the agent is what keeps a device from it: by its file anybody may open it', async () => {
    const free = await lab.container.run('runuser', [
      '-u',
      'relay-agent',
      '--',
      'sh',
      '-c',
      `: <> ${otherDevice}`,
    ])

    expect(free).toMatchObject({ code: 0, stderr: '' })
  })
})

/** The rest are fields of `/proc/self/status`. */
function isTry(name: string): boolean {
  return /^[a-z/]/.test(name)
}

function outcomesIn(report: string): ReadonlyMap<string, string> {
  return new Map(
    report.split('\n').map((line) => {
      const [name = '', outcome = ''] = line.split('\t')
      return [name, outcome] as const
    }),
  )
}
