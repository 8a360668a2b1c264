import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../test-rig/src/rig/until.ts'
import { InstalledLab } from './container/installed-lab.ts'
import { whyNoContainer } from './container/why-no-container.ts'

const why = whyNoContainer()
const unit = 'relay.service'
const sockets = ['relay-access.socket', 'relay-relay.socket', 'relay-metrics.socket']

describe.skipIf(why !== undefined)(
  `the relay's service${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let lab: InstalledLab

    beforeAll(async () => {
      lab = await InstalledLab.install({ title: 'server', packages: ['relay-server'] })
    })
    // Absent where the installation failed.
    afterAll(async () => await (lab as InstalledLab | undefined)?.[Symbol.asyncDispose]())

    const mainPid = async () => Number((await lab.show(unit, 'MainPID'))['MainPID'])

    /** Addresses and ports at which something listens inside. */
    async function listeningPorts(): Promise<readonly string[]> {
      const lines = (await lab.container.runInItsNetwork('ss', ['-ltnH'])).split('\n')
      return lines.map((line) => line.split(/\s+/)[3] ?? '')
    }

    test('runs after the installation and at every boot, behind ports that systemd holds', async () => {
      expect(await lab.show(unit, 'ActiveState', 'Type', 'User', 'UnitFileState', 'NRestarts')).toEqual({
        ActiveState: 'active',
        Type: 'notify',
        User: 'relay',
        UnitFileState: 'enabled',
        NRestarts: '0',
      })
      for (const socket of sockets) {
        expect(await lab.show(socket, 'ActiveState', 'SubState', 'UnitFileState')).toEqual({
          ActiveState: 'active',
          SubState: 'running',
          UnitFileState: 'enabled',
        })
      }
      const listening = await listeningPorts()
      expect(listening.toSorted()).toEqual(['127.0.0.1:3000', '127.0.0.1:3001', '127.0.0.1:3002'])
    })

    test('carries a session both ways, and tells how it does', async () => {
      await using one = await lab.join('topic')
      await using other = await lab.join('topic')

      one.send('there')
      await other.text('there')
      other.send(Buffer.from([0, 1, 2, 255]))
      const { data } = await one.message(({ binary }) => binary)

      expect([...data]).toEqual([0, 1, 2, 255])
      const metrics = await fetch(`http://127.0.0.1:${await lab.forward(3002)}/metrics`)
      expect(await metrics.text()).toMatch(/^relay_/m)
      await lab.property(unit, 'StatusText', (text) => text !== '')
    })

    test('gets its secret as a credential, and tells it nobody', async () => {
      const secret = await lab.container.shell('cat /etc/relay/secret')
      const pid = await mainPid()

      expect(await lab.container.shell('stat --format=%U:%a /etc/relay/secret')).toBe('root:600')
      expect(await lab.container.shell('cat /run/credentials/relay.service/secret')).toBe(secret)
      expect(await lab.container.shell('stat --format=%a /run/credentials/relay.service/secret')).toBe('400')
      const told = await lab.container.shell(
        `journalctl --no-pager --output=export; tr '\\0' ' ' < /proc/${pid}/environ; cat /proc/${pid}/cmdline`,
      )
      expect(told).not.toContain(secret)
    })

    test('drains when it is stopped: who is connected is told, and it ends by itself', async () => {
      await using viewer = await lab.join('topic')
      const pid = await mainPid()

      await lab.container.shell(`systemctl restart ${unit}`, { withinMs: 60_000 })

      expect(await viewer.closed()).toBe(1001)
      // By itself: systemd says so where it had to kill.
      expect(await lab.journal(unit)).not.toMatch(/timed out|Killing process/)
      expect(await mainPid()).not.toBe(pid)
      expect(await lab.show(unit, 'ActiveState', 'Result', 'NRestarts')).toEqual({
        ActiveState: 'active',
        Result: 'success',
        NRestarts: '0',
      })
      await using after = await lab.join('topic')
      expect(after.closeCode).toBeUndefined()
    })

    test('loses nobody who comes while it is not there, and is started for him', async () => {
      await lab.container.shell(`systemctl stop ${unit}`)
      expect(await lab.show(unit, 'ActiveState')).toEqual({ ActiveState: 'inactive' })

      await using viewer = await lab.join('topic')

      viewer.send('to nobody')
      expect(await lab.show(unit, 'ActiveState')).toEqual({ ActiveState: 'active' })
    })

    test('answers a request that came in the middle of a restart', async () => {
      const port = await lab.forward(3000)
      const token = await lab.token('topic')
      const ask = async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/session/topic`, {
          method: 'POST',
          headers: { authorization: token, 'content-type': 'application/json' },
          body: '{}',
          signal: AbortSignal.timeout(30_000),
        })
        return answer.status
      }
      // Kept from starting until the requests wait at its port.
      await lab.dropIn(unit, 'slow', [
        '[Service]',
        'ExecStartPre=/bin/sh -c "until [ -e /tmp/go ]; do sleep 0.1; done"',
        'PrivateTmp=no',
      ])
      await lab.container.shell(`systemctl restart --no-block ${unit}`)
      await lab.property(unit, 'SubState', (state) => state === 'start-pre')

      const answers = Promise.all([ask(), ask(), ask()])
      const waiting = async () => {
        const lines = await lab.container.runInItsNetwork('ss', [
          '-tnH',
          'state',
          'established',
          'sport = :3000',
        ])
        return lines.split('\n').length >= 3
      }
      await until('three requests at the port', waiting)
      await lab.container.shell('touch /tmp/go')

      expect(await answers).toEqual([200, 200, 200])
      await lab.removeDropIn(unit, 'slow')
    })

    test('is started again after kill -9, and by the watchdog when its event loop does not turn', async () => {
      await lab.dropIn(unit, 'watchdog', ['[Service]', 'WatchdogSec=4s'])
      await lab.container.shell(`systemctl restart ${unit}`)
      await lab.container.shell(`kill -9 ${await mainPid()}`)
      await lab.property(unit, 'NRestarts', (count) => count === '1')
      await lab.property(unit, 'SubState', (state) => state === 'running')

      await lab.container.shell(`kill -STOP ${await mainPid()}`)

      await lab.property(unit, 'NRestarts', (count) => count === '2')
      await lab.property(unit, 'SubState', (state) => state === 'running')
      expect(await lab.journal(unit)).toMatch(/Watchdog timeout \(limit 4s\)!/)
      await using viewer = await lab.join('topic')
      expect(viewer.closeCode).toBeUndefined()
      await lab.removeDropIn(unit, 'watchdog')
    })

    test('is reloaded without an end of what is open', async () => {
      const pid = await mainPid()
      await using viewer = await lab.join('topic')

      await lab.container.shell(`systemctl reload ${unit}`)

      await using other = await lab.join('topic')
      other.send('after the reload')
      await viewer.text('after the reload')
      expect(await mainPid()).toBe(pid)
      expect(await lab.show(unit, 'ActiveState', 'SubState')).toEqual({
        ActiveState: 'active',
        SubState: 'running',
      })
    })

    test('with a wrong configuration ends with a sentence, and connections do not start it for ever', async () => {
      const right = await lab.container.shell('cat /etc/relay/relay.yaml')
      const port = await lab.forward(3000)
      for (const socket of sockets) {
        expect(await lab.show(socket, 'TriggerLimitIntervalUSec', 'TriggerLimitBurst')).toEqual({
          TriggerLimitIntervalUSec: '20s',
          TriggerLimitBurst: '10',
        })
      }
      // Ten starts take longer where the machine is busy; how many there may be stays as it is.
      await lab.dropIn('relay-access.socket', 'patient', ['[Socket]', 'TriggerLimitIntervalSec=10min'])
      await lab.container.write('/etc/relay/relay.yaml', 'audiense: x\n')
      try {
        expect((await lab.container.run('systemctl', ['restart', unit])).code).not.toBe(0)
        expect(await lab.show(unit, 'ActiveState', 'ExecMainStatus')).toEqual({
          ActiveState: 'failed',
          ExecMainStatus: '78',
        })
        expect(await lab.journal(unit)).toMatch(/relay\.yaml.*audiense/)

        const visitor = connect(port, '127.0.0.1')
        visitor.on('error', () => undefined)
        await once(visitor, 'connect')
        const isLimited = (result: string): boolean => result === 'trigger-limit-hit'
        await lab.property('relay-access.socket', 'Result', isLimited, 150_000)
        visitor.destroy()
        const starts = (await lab.journal(unit, 1000)).match(/relay\.yaml.*audiense/g) ?? []
        expect(starts.length).toBeLessThanOrEqual(1 + 10)
      } finally {
        // The tests behind this one need it whatever became of this one.
        await lab.container.write('/etc/relay/relay.yaml', right)
        await lab.removeDropIn('relay-access.socket', 'patient')
        await lab.container.shell(`systemctl restart ${unit}`)
      }
      await using viewer = await lab.join('topic')
      expect(viewer.closeCode).toBeUndefined()
    }, 240_000)

    test('says what is wrong when its secret is missing', async () => {
      const secret = await lab.container.shell('cat /etc/relay/secret')
      await lab.container.shell('rm /etc/relay/secret')

      expect((await lab.container.run('systemctl', ['restart', unit])).code).not.toBe(0)

      expect(await lab.show(unit, 'ExecMainStatus')).toEqual({ ExecMainStatus: '78' })
      expect(await lab.journal(unit)).toMatch(/the file \/run\/credentials\/relay\.service\/secret is empty/)
      await lab.container.write('/etc/relay/secret', secret, '600')
      await lab.container.shell(`systemctl restart ${unit}`)
    })

    test('listens where the drop-in that comes as an example says', async () => {
      const example = '/usr/share/doc/relay-server/examples/relay-public-ports.conf'
      await lab.container.shell(
        `mkdir -p /etc/systemd/system/relay-access.socket.d && cp ${example} /etc/systemd/system/relay-access.socket.d/ &&
      systemctl daemon-reload && systemctl restart relay-access.socket ${unit}`,
      )

      const listening = await listeningPorts()
      expect(listening).toEqual(expect.arrayContaining(['*:3000', '127.0.0.1:3001']))
      await using viewer = await lab.join('topic')
      expect(viewer.closeCode).toBeUndefined()
    })
  },
)
