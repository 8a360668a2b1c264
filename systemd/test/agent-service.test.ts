import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../test-rig/src/rig/until.ts'
import { InstalledLab } from './container/installed-lab.ts'
import { SerialBoard } from './container/serial-board.ts'
import { whyNoContainer } from './container/why-no-container.ts'

const why = whyNoContainer()
const unit = 'relay-agent.service'

/** One camera that needs no hardware and one serial line, each with a topic of its own. */
function configuration(more: readonly string[] = []): string {
  return [
    'name: pend-test',
    'relay: { access: http://127.0.0.1:3000 }',
    'topics:',
    '  - { topic: pend-data, feed: data, tokenFile: data.token }',
    '  - { topic: pend-video, feed: video, tokenFile: tokens/video.token }',
    'cameras:',
    '  - { name: front, feed: video, preset: test-pattern, size: 160x120, framesPerSecond: 25 }',
    'instruments:',
    `  - { name: board, feed: data, device: ${SerialBoard.device} }`,
    ...more,
    '',
  ].join('\n')
}

describe.skipIf(why !== undefined)(
  `the agent's service${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let lab: InstalledLab
    let board: SerialBoard

    beforeAll(async () => {
      lab = await InstalledLab.install({
        title: 'agent',
        packages: ['relay-server', 'relay-agent'],
        credentials: { 'data.token': 'pend-data' },
      })
      board = new SerialBoard(lab.container)
    })
    // Absent where the installation failed.
    afterAll(async () => await (lab as InstalledLab | undefined)?.[Symbol.asyncDispose]())

    const mainPid = async () => Number((await lab.show(unit, 'MainPID'))['MainPID'])
    const ffmpegPids = async () => (await lab.container.run('pgrep', ['-x', 'ffmpeg'])).stdout.trim()

    /** Counts restarts from here on. */
    async function restart(): Promise<void> {
      await lab.container.shell(`systemctl reset-failed ${unit}; systemctl restart ${unit}`)
    }

    /** With a short watchdog, and faults below the program that a file in /run switches on. */
    async function watch(name: string): Promise<void> {
      const faults = await readFile(join(import.meta.dirname, '../../agent/test/lose-timers.mjs'), 'utf8')
      await lab.container.write('/opt/lose-timers.mjs', faults)
      await lab.dropIn(name, 'watchdog', [
        '[Service]',
        'WatchdogSec=4s',
        'Environment=NODE_OPTIONS=--import=/opt/lose-timers.mjs',
        'Environment=LOSE_TIMERS_WHEN=/run/lose-timers BLOCK_WHEN=/run/block-loop',
      ])
      await lab.container.shell(`systemctl restart ${name}`)
    }

    async function endedByWatchdog(name: string, times: number): Promise<void> {
      await until(
        `${times} ends of ${name} by the watchdog`,
        async () => (await lab.journal(name, 500)).split("Failed with result 'watchdog'").length > times,
        { withinMs: 60_000, everyMs: 300 },
      )
    }

    test('runs after the installation and at every boot, as its own user, and says that it is ready', async () => {
      const properties = [
        'ActiveState',
        'SubState',
        'Type',
        'NotifyAccess',
        'User',
        'UnitFileState',
        'NRestarts',
      ]

      expect(await lab.show(unit, ...properties)).toEqual({
        ActiveState: 'active',
        SubState: 'running',
        Type: 'notify',
        NotifyAccess: 'main',
        User: 'relay-agent',
        UnitFileState: 'enabled',
        NRestarts: '0',
      })
      const groups = await lab.container.shell('id --groups --name relay-agent')
      expect(groups.split(' ')).toEqual(expect.arrayContaining(['dialout', 'video', 'audio', 'gpio']))
    })

    test('brings rules for udev and settings of systemd that both take', async () => {
      const udev = await lab.container.run('udevadm', ['test', '/devices/virtual/mem/null'])
      const said = udev.stderr.split('\n').filter((line) => line.includes('70-relay-agent.rules'))
      expect(said).toEqual([expect.stringMatching(/^Reading rules file: \S+$/)])

      const read = async (file: string) =>
        await lab.container.shell(`systemd-analyze cat-config systemd/${file}`)
      expect(await read('journald.conf')).toMatch(/^SystemMaxUse=200M$/m)
      expect(await read('system.conf')).toMatch(/^RuntimeWatchdogSec=15s$/m)
    })

    test('carries a serial line and real video through its sandbox, and says so in systemctl status', async () => {
      await lab.dropIn(unit, 'pty', ['[Service]', 'DeviceAllow=char-pts rw'])
      await board.plug()
      await lab.container.write('/etc/relay-agent/tokens/video.token', await lab.token('pend-video'), '640')
      await lab.container.shell('chgrp relay-agent /etc/relay-agent/tokens/video.token')
      await lab.container.write('/etc/relay-agent/agent.yaml', configuration())
      await restart()
      await using data = await lab.join('pend-data')
      await using video = await lab.join('pend-video')

      await data.text('{"angle":1.5}')
      data.send('{"set":"mode"}')
      await data.text('heard {"set":"mode"}')
      await video.message(({ data: bytes, binary }) => binary && bytes[0] === 0x47)
      await lab.property(unit, 'StatusText', (text) =>
        /^pend-test \| linked, \d viewers? \| front \d+ fps \| board now/.test(text),
      )
      expect(await lab.container.shell(`systemctl status --no-pager ${unit}`)).toMatch(
        /Status: "pend-test \| linked, /,
      )
    })

    test('takes a token from a credential that only it can read, and tells nobody', async () => {
      const token = await lab.container.shell('cat /run/credentials/relay-agent.service/data.token')
      const pid = await mainPid()

      expect(token.split('.')).toHaveLength(3)
      expect(
        await lab.container.shell('stat --format=%a /run/credentials/relay-agent.service/data.token'),
      ).toBe('400')
      const file = '/run/credentials/relay-agent.service/data.token'
      const reader = await lab.container.run('runuser', ['-u', 'relay-agent', '--', 'cat', file])
      expect(reader.stdout.trim()).toBe(token)
      const stranger = await lab.container.run('runuser', ['-u', 'daemon', '--', 'cat', file])
      expect(stranger.stdout).toBe('')
      const told = await lab.container.shell(
        `journalctl --no-pager --output=export; cat /proc/${pid}/cmdline`,
      )
      const environment = await lab.container.shell(`tr '\\0' '\\n' < /proc/${pid}/environ`)
      const signature = token.split('.')[2] ?? token
      expect(told).not.toContain(signature)
      expect(environment).toContain('CREDENTIALS_DIRECTORY=')
      expect(environment).not.toContain(signature)
    })

    test('goes on when its serial port is pulled and put back, and its journal can be asked for it', async () => {
      const pid = await mainPid()
      await using viewer = await lab.join('pend-data')
      await viewer.text('{"angle":1.5}')

      await board.unplug()
      await lab.property(unit, 'StatusText', (text) => /last fault .*board/.test(text))
      const lost = await lab.container.shell(
        `journalctl --no-pager --output=json --lines=1 --unit=${unit} --priority=warning INSTRUMENT=board`,
      )
      expect(JSON.parse(lost)).toMatchObject({
        PRIORITY: '4',
        SYSLOG_IDENTIFIER: 'relay-agent',
        ERROR_CODE: expect.stringMatching(/^INSTRUMENT_/) as unknown,
      })
      await board.plug()
      const before = viewer.received.length
      await until('data after the plug', () => viewer.received.length > before)

      expect(await mainPid()).toBe(pid)
    })

    test('is reloaded without a touch to what did not change', async () => {
      const [pid, ffmpeg] = [await mainPid(), await ffmpegPids()]
      await using viewer = await lab.join('pend-video')
      await viewer.message(({ binary }) => binary)
      const more = ['  - { name: second, feed: second, device: /dev/not-there }']
      await lab.container.write('/etc/relay-agent/agent.yaml', configuration(more))

      await lab.container.shell(`systemctl reload ${unit}`)

      await lab.property(unit, 'StatusText', (text) => text.includes('second'))
      expect(await lab.show(unit, 'ActiveState', 'SubState')).toEqual({
        ActiveState: 'active',
        SubState: 'running',
      })
      const seen = viewer.received.length
      await until('more video at the same viewer', () => viewer.received.length > seen + 5)
      expect(viewer.closeCode).toBeUndefined()
      expect([await mainPid(), await ffmpegPids()]).toEqual([pid, ffmpeg])
    })

    test('goes on as before when a reload finds a wrong configuration, and says so', async () => {
      const pid = await mainPid()
      await lab.container.write('/etc/relay-agent/agent.yaml', 'name: pend-test\nwrong: true\n')

      await lab.container.shell(`systemctl reload ${unit}`)

      await lab.property(
        unit,
        'StatusText',
        (text) => /configuration is wrong/.test(text) && text.includes('fps'),
      )
      expect(await mainPid()).toBe(pid)
      expect(await lab.journal(unit)).toContain('wrong')
      await lab.container.write('/etc/relay-agent/agent.yaml', configuration())
      await lab.container.shell(`systemctl reload ${unit}`)
      await lab.property(unit, 'StatusText', (text) => !/configuration is wrong/.test(text))
    })

    test('is started again after kill -9, without a left-over of the first', async () => {
      await restart()
      const [pid, ffmpeg] = [await mainPid(), await until('ffmpeg', ffmpegPids)]

      await lab.container.shell(`kill -9 ${pid}`)

      await lab.property(unit, 'NRestarts', (count) => count === '1')
      await lab.property(unit, 'StatusText', (text) => text.includes('fps'))
      expect(await mainPid()).not.toBe(pid)
      expect(await ffmpegPids()).toMatch(/^\d+$/)
      expect(await ffmpegPids()).not.toBe(ffmpeg)
    })

    test('is ended and started again by the watchdog when its event loop does not turn', async () => {
      await watch(unit)
      const pid = await mainPid()
      // Longer than the watchdog waits: with its signs of life nothing happens.
      await lab.container.shell('sleep 6')
      expect(await mainPid()).toBe(pid)

      await lab.container.shell('touch /run/block-loop')

      await endedByWatchdog(unit, 1)
      await lab.container.shell('rm /run/block-loop')
      await lab.property(unit, 'NRestarts', (count) => count === '1')
      await lab.property(unit, 'StatusText', (text) => text.includes('linked'))
    })

    test('is ended and started again by the watchdog when a part of it is stuck, and so is the relay', async () => {
      await watch('relay.service')

      await lab.container.shell('touch /run/lose-timers')

      await Promise.all([endedByWatchdog(unit, 2), endedByWatchdog('relay.service', 1)])
      await lab.container.shell('rm /run/lose-timers')
      for (const name of [unit, 'relay.service']) {
        expect(await lab.journal(name, 500)).toMatch(/a part .*is stuck, systemd gets no sign of life/)
        await lab.property(name, 'NRestarts', (count) => count !== '0')
        await lab.property(name, 'SubState', (state) => state === 'running')
        await lab.removeDropIn(name, 'watchdog')
      }
    })

    test('is not started again with a wrong configuration, and its journal says what is wrong', async () => {
      await lab.container.write('/etc/relay-agent/agent.yaml', 'name: pend-test\nintruments: []\n')

      const { code } = await lab.container.run('systemctl', ['restart', unit])

      expect(code).not.toBe(0)
      await lab.property(unit, 'ActiveState', (state) => state === 'failed')
      // Twice the time after which it would be tried again.
      await lab.container.shell('sleep 5')
      expect(await lab.show(unit, 'ActiveState', 'Result', 'ExecMainStatus')).toEqual({
        ActiveState: 'failed',
        Result: 'exit-code',
        ExecMainStatus: '78',
      })
      expect(await lab.journal(unit)).toMatch(/agent\.yaml.*intruments/)
      await lab.container.write('/etc/relay-agent/agent.yaml', configuration())
      await restart()
      expect(await lab.show(unit, 'ActiveState')).toEqual({ ActiveState: 'active' })
    })

    test('may have tokens that only root can read, by the drop-in that comes as an example', async () => {
      const example = '/usr/share/doc/relay-agent/examples/relay-agent-root-only-tokens.conf'
      await lab.container.write('/etc/relay-agent/tokens/data.token', await lab.token('pend-data'), '600')
      await lab.container.shell(
        'chmod 600 /etc/relay-agent/tokens/*; chown root:root /etc/relay-agent/tokens/*',
      )
      await lab.container.write(
        '/etc/relay-agent/agent.yaml',
        configuration().replace('tokens/video.token', 'video.token'),
      )
      await lab.container.shell(`cp ${example} /etc/systemd/system/${unit}.d/ && systemctl daemon-reload`)
      await restart()

      await lab.property(unit, 'StatusText', (text) => text.startsWith('pend-test | linked, '))
      const reader = await lab.container.run('runuser', [
        '-u',
        'relay-agent',
        '--',
        'cat',
        '/etc/relay-agent/tokens/data.token',
      ])
      expect(reader.code).not.toBe(0)
    })

    test('tells how it does to relay-agent status', async () => {
      const status = await lab.container.shell('relay-agent status --json')

      expect(JSON.parse(status)).toMatchObject({ name: 'pend-test' })
      expect(await lab.container.shell('relay-agent status')).toContain('front')
    })

    test('ends within seconds and by itself when it is stopped', async () => {
      await lab.container.shell(`systemctl stop ${unit}`, { withinMs: 14_000 })

      expect(await lab.show(unit, 'ActiveState', 'Result')).toEqual({
        ActiveState: 'inactive',
        Result: 'success',
      })
      expect(await ffmpegPids()).toBe('')
    })
  },
)
