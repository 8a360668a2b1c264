import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TopicPeer } from '../../test-rig/src/rig/topic-peer.ts'
import { InstalledLab } from './container/installed-lab.ts'
import { whyNoContainer } from './container/why-no-container.ts'

const why = whyNoContainer()
const unit = 'shell-relay.service'
const sockets = ['shell-access.socket', 'shell-relay.socket', 'shell-metrics.socket']
const ports = ['127.0.0.1:3004', '127.0.0.1:3005', '127.0.0.1:3006']

describe.skipIf(why !== undefined)(
  `the shell relay's service${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let lab: InstalledLab

    beforeAll(async () => {
      lab = await InstalledLab.install({ title: 'shell', packages: ['relay-server'] })
    })
    // Absent where the installation failed.
    afterAll(async () => await (lab as InstalledLab | undefined)?.[Symbol.asyncDispose]())

    /** Addresses and ports at which something listens inside. */
    async function listeningPorts(): Promise<readonly string[]> {
      const lines = (await lab.container.runInItsNetwork('ss', ['-ltnH'])).split('\n')
      return lines.map((line) => line.split(/\s+/)[3] ?? '')
    }

    /** Asks the access API for the address of a host's control link, as seen from outside. */
    async function hostAddress(id: string): Promise<string> {
      const access = await lab.forward(3004)
      const websockets = await lab.forward(3005)
      const response = await fetch(`http://127.0.0.1:${access}/shell/${id}`, {
        method: 'POST',
        headers: { authorization: await lab.shellToken(id, 'host') },
        signal: AbortSignal.timeout(30_000),
      })
      const { uri } = (await response.json()) as { uri: string }
      return uri.replace(':3005/', `:${websockets}/`)
    }

    test('takes no port and has not failed where nobody has set it up', async () => {
      for (const name of [unit, ...sockets]) {
        expect(await lab.show(name, 'ActiveState', 'UnitFileState', 'ConditionResult')).toEqual({
          ActiveState: 'inactive',
          UnitFileState: 'enabled',
          ConditionResult: 'no',
        })
      }
      expect((await listeningPorts()).filter((port) => ports.includes(port))).toEqual([])
      expect(await lab.container.shell('systemctl list-units --failed --no-legend')).toBe('')
    })

    test('runs once it has a secret, behind ports that systemd holds', async () => {
      await lab.setUpShellRelay()

      expect(await lab.show(unit, 'ActiveState', 'Type', 'User', 'NRestarts')).toEqual({
        ActiveState: 'active',
        Type: 'notify',
        User: 'shell-relay',
        NRestarts: '0',
      })
      expect(await listeningPorts()).toEqual(expect.arrayContaining(ports))
      await lab.property(unit, 'StatusText', (text) => text.includes('0 hosts, 0 sessions'))
    })

    test('lets a host in, and tells how it does', async () => {
      await using _host = await TopicPeer.dial(await hostAddress('pend00'))

      await lab.property(unit, 'StatusText', (text) => text.includes('1 host, 0 sessions'))
      const metrics = await fetch(`http://127.0.0.1:${await lab.forward(3006)}/metrics`)
      expect(await metrics.text()).toMatch(/^shell_relay_hosts 1$/m)
    })

    test('loses nobody who comes while it is not there, and is started for him', async () => {
      await lab.container.shell(`systemctl stop ${unit}`)
      expect(await lab.show(unit, 'ActiveState')).toEqual({ ActiveState: 'inactive' })

      await using _host = await TopicPeer.dial(await hostAddress('pend00'))

      expect(await lab.show(unit, 'ActiveState')).toEqual({ ActiveState: 'active' })
    })

    test('reads its keys at a reload, drains at a stop and tells its secret nobody', async () => {
      await using host = await TopicPeer.dial(await hostAddress('pend00'))
      await lab.container.shell(`systemctl reload ${unit}`)
      // The order is given when systemctl returns, and followed a moment later.
      await expect
        .poll(() => lab.journal(unit), { timeout: 30_000, interval: 200 })
        .toContain('keys were read anew')

      await lab.container.shell(`systemctl restart ${unit}`, { withinMs: 60_000 })

      await host.closed()
      expect(await lab.journal(unit)).not.toMatch(/timed out|Killing process/)
      expect(await lab.show(unit, 'ActiveState', 'Result', 'NRestarts')).toEqual({
        ActiveState: 'active',
        Result: 'success',
        NRestarts: '0',
      })
      const secret = await lab.container.shell('cat /etc/shell-relay/secret')
      expect(await lab.container.shell('journalctl --no-pager --output=export')).not.toContain(secret)
    })

    test('has a board without an agent as host, by the unit that comes as an example', async () => {
      const example = '/usr/share/doc/relay-server/examples/shell-host.service'
      const host = 'shell-host.service'
      await lab.container.write('/etc/shell-host/token', await lab.shellToken('spin30', 'host'), '600')
      await lab.container.shell(
        `sed 's|https://.*|http://127.0.0.1:3004/shell/spin30|' ${example} > /etc/systemd/system/${host}`,
      )

      await lab.container.shell(`systemctl daemon-reload; systemctl enable --now ${host}`)

      await lab.property(unit, 'StatusText', (text) => text.includes('1 host, 0 sessions'))
      await lab.property(host, 'StatusText', (text) => text.startsWith('shell spin30 live'))
      await lab.container.shell(`systemctl stop ${host}`)
      expect(await lab.show(host, 'Result', 'NRestarts')).toEqual({ Result: 'success', NRestarts: '0' })
    })
  },
)
