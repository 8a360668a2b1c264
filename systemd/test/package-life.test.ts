import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PackageName } from '../debian/package-definition.ts'
import { InstalledLab, packageInside } from './container/installed-lab.ts'
import { whyNoContainer } from './container/why-no-container.ts'

const why = whyNoContainer()

/** What a person changes in each, and what of it a service must not lose. */
const edited: Readonly<
  Record<PackageName, { readonly unit: string; readonly file: string; readonly line: string }>
> = {
  'relay-agent': { unit: 'relay-agent.service', file: '/etc/relay-agent/agent.yaml', line: 'name: mine' },
  'relay-server': { unit: 'relay.service', file: '/etc/relay/relay.yaml', line: 'statsEvery: 7s' },
}
const sockets = ['relay-access.socket', 'relay-relay.socket', 'relay-metrics.socket']
const names = ['relay-agent', 'relay-server'] as const

describe.skipIf(why !== undefined)(`the packages${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: InstalledLab

  beforeAll(async () => {
    lab = await InstalledLab.install({ title: 'life', packages: [...names] })
  })
  // Absent where the installation failed.
  afterAll(async () => await (lab as InstalledLab | undefined)?.[Symbol.asyncDispose]())

  const whenOpened = async () =>
    await Promise.all(sockets.map((socket) => lab.show(socket, 'ActiveEnterTimestampMonotonic')))

  /** Builds the next version inside: as the one that is installed, with another number and another standard file. */
  async function nextVersionOf(name: PackageName): Promise<string> {
    const { file } = edited[name]
    await lab.container.shell(
      `mkdir -p /tmp/next && cd /tmp/next && dpkg-deb --raw-extract '${packageInside(name)}' ${name} &&
      sed -i 's/^Version: .*/&+next/' ${name}/DEBIAN/control && echo '# new in the next version' >> ${name}${file} &&
      dpkg-deb -Znone --build ${name} ${name}.deb`,
    )
    return `/tmp/next/${name}.deb`
  }

  test('relay-agent: only root and the service read its configuration, which holds passwords of cameras', async () => {
    expect(await lab.container.shell('stat --format=%U:%G:%a /etc/relay-agent/agent.yaml')).toBe(
      'root:relay-agent:640',
    )
  })

  test('relay-agent: the journal keeps to the size of a small card from the installation on', async () => {
    const sizes = await lab.container.shell(
      'journalctl --no-pager --output=cat --identifier=systemd-journald',
    )

    expect(sizes).toMatch(/max 200\.0M/)
  })

  test.each(names)('%s: an upgrade keeps what was edited, and runs the new version', async (name) => {
    const { unit, file, line } = edited[name]
    await lab.container.shell(`echo '${line}' >> ${file}; chmod 664 ${file}; systemctl restart ${unit}`)
    const before = await lab.show(unit, 'MainPID')
    const opened = await whenOpened()

    await lab.container.shell(
      `DEBIAN_FRONTEND=noninteractive dpkg --force-confold --install ${await nextVersionOf(name)}`,
    )

    expect(await lab.container.shell(`dpkg-query --show --showformat='\${Version}' ${name}`)).toMatch(
      /\+next$/,
    )
    expect(await lab.container.shell(`cat ${file}`)).toContain(line)
    expect(await lab.container.shell(`cat ${file}`)).not.toContain('new in the next version')
    // What the administrator chose stays.
    expect(await lab.container.shell(`stat --format=%G:%a ${file}`)).toBe(
      name === 'relay-agent' ? 'relay-agent:664' : 'root:664',
    )
    const after = await lab.show(unit, 'MainPID', 'ActiveState')
    expect(after['ActiveState']).toBe('active')
    expect(after['MainPID']).not.toBe(before['MainPID'])
    // Who comes meanwhile waits at the ports of the relay.
    expect(await whenOpened()).toEqual(opened)
  })

  test.each(names)('%s: a service that was switched off stays off over an upgrade', async (name) => {
    const { unit } = edited[name]
    const units = name === 'relay-server' ? [...sockets, unit].join(' ') : unit
    await lab.container.shell(`systemctl disable --now ${units}`)

    await lab.container.shell(`dpkg --force-confold --install /tmp/next/${name}.deb`)

    expect(await lab.show(unit, 'UnitFileState')).toEqual({ UnitFileState: 'disabled' })
    await lab.container.shell(`systemctl enable --now ${units}`)
  })

  test.each(names)('%s: removing it stops the service and keeps the configuration', async (name) => {
    const { unit, file, line } = edited[name]

    await lab.container.shell(`dpkg --remove ${name}`)

    expect(await lab.show(unit, 'ActiveState', 'LoadState')).toEqual({
      ActiveState: 'inactive',
      LoadState: 'not-found',
    })
    expect(await lab.container.shell(`cat ${file}`)).toContain(line)
    expect((await lab.container.run('test', ['-e', `/usr/lib/${name}`])).code).toBe(1)
  })

  test.each(names)('%s: installed anew it takes up where it was', async (name) => {
    const { unit, file, line } = edited[name]

    await lab.container.shell(`dpkg --force-confold --install /tmp/next/${name}.deb`)

    expect(await lab.container.shell(`cat ${file}`)).toContain(line)
    await lab.property(unit, 'ActiveState', (state) => state === 'active')
  })

  test.each(names)(
    '%s: purging leaves its user, what the administrator added, and nothing else',
    async (name) => {
      const user = name === 'relay-agent' ? 'relay-agent' : 'relay'
      await lab.container.shell(
        `touch /etc/${user}/added-by-hand; touch /var/lib/${user}/kept-by-the-service`,
      )

      await lab.container.shell(`dpkg --purge ${name}`)

      const left = await lab.container.shell(
        `find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /packages -o -path /var/log/journal \\) -prune -o ` +
          `-path '*${user}*' -print | grep -vE '^/(run|dev)/' || true`,
      )
      const others = name === 'relay-agent' ? [] : ['relay-agent']
      const files = left.split('\n').filter((path) => !others.some((other) => path.includes(other)))
      expect(files.toSorted()).toEqual(
        [
          `/etc/${user}`,
          `/etc/${user}/added-by-hand`,
          ...(name === 'relay-server' ? ['/etc/relay/secret'] : []),
        ].toSorted(),
      )
      expect(await lab.container.shell(`id --user --name ${user}`)).toBe(user)
      expect(await lab.container.shell('systemctl list-units --failed --no-legend')).toBe('')
    },
  )
})
