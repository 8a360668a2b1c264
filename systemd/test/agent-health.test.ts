import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../test-rig/src/rig/until.ts'
import { InstalledLab } from './container/installed-lab.ts'
import { whyNoContainer } from './container/why-no-container.ts'

const why = whyNoContainer()
const unit = 'relay-agent.service'

/** A camera and an instrument that are not there: two faults to find. */
const configuration = `
name: pend-test
cameras: [{ name: front, device: /dev/video99 }]
instruments: [{ name: board, device: /dev/ttyUSB99 }]
`

describe.skipIf(why !== undefined)(
  `the health of the agent's service${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let lab: InstalledLab

    beforeAll(async () => {
      lab = await InstalledLab.install({ title: 'health', packages: ['relay-agent'] })
      await lab.container.write('/etc/relay-agent/agent.yaml', configuration)
      await lab.container.shell(`systemctl restart ${unit}`)
    })
    // Absent where the installation failed.
    afterAll(async () => await (lab as InstalledLab | undefined)?.[Symbol.asyncDispose]())

    /** What the journal has, as soon as that is something. */
    async function found(query: string): Promise<readonly Readonly<Record<string, string>>[]> {
      return await until(
        `an entry for ${query}`,
        async () => {
          const text = await lab.container.shell(`journalctl --no-pager --output=json -u ${unit} ${query}`)
          const lines = text
            .trim()
            .split('\n')
            .filter((line) => line.startsWith('{'))
          return lines.length === 0
            ? undefined
            : lines.map((line) => JSON.parse(line) as Readonly<Record<string, string>>)
        },
        { withinMs: 40_000 },
      )
    }

    test('the journal finds warnings by priority, and each camera and instrument by its field', async () => {
      const [camera] = await found('-p warning CAMERA=front')
      const [instrument] = await found('-p warning INSTRUMENT=board')
      const [running] = await found('-p info CAMERAS=1')

      expect(camera).toMatchObject({
        PRIORITY: '4',
        SYSLOG_IDENTIFIER: 'relay-agent',
        ERROR_CODE: 'CAMERA_MISSING',
        MESSAGE: expect.stringContaining('/dev/video99 is not there') as string,
        _SYSTEMD_UNIT: unit,
      })
      expect(instrument).toMatchObject({ PRIORITY: '4', ERROR_CODE: 'INSTRUMENT_MISSING' })
      expect(running).toMatchObject({
        PRIORITY: '6',
        MESSAGE: expect.stringMatching(/^agent is running/) as string,
      })
    })

    test('a configuration that is wrong is an error in the journal', async () => {
      await lab.container.write('/etc/relay-agent/agent.yaml', 'nonsense: 1\n')
      await lab.container.shell(`systemctl restart ${unit} || true`)
      const entries = await found('-p err')
      await lab.container.write('/etc/relay-agent/agent.yaml', configuration)
      await lab.container.shell(`systemctl reset-failed ${unit}; systemctl restart ${unit}`)

      expect(entries.map(({ MESSAGE }) => MESSAGE).join('\n')).toContain('nonsense')
    })

    test('root and members of the group may ask for the status, others hear what to do', async () => {
      await lab.container.shell(
        'useradd technician; useradd stranger; usermod --append --groups relay-agent technician',
      )
      await until('the socket', async () =>
        (await lab.container.run('test', ['-S', '/run/relay-agent/status.sock'])).code === 0
          ? true
          : undefined,
      )
      const askedBy = async (user: string) =>
        await lab.container.run('setpriv', [
          `--reuid=${user}`,
          `--regid=${user}`,
          '--init-groups',
          'relay-agent',
          'status',
        ])

      for (const user of ['root', 'technician']) {
        const { code, stdout } = await askedBy(user)
        expect(code).toBe(3)
        expect(stdout).toContain('camera front: camera /dev/video99 is not there')
      }
      const stranger = await askedBy('stranger')
      expect(stranger.code).toBe(69)
      expect(stranger.stderr).toContain('use sudo, or become a member of the group')
    })

    test('an agent that was killed tells its status again as soon as systemd has started it', async () => {
      await lab.container.shell(`systemctl kill --signal=SIGKILL --kill-who=main ${unit}`)

      await until(
        'an answer',
        async () =>
          (await lab.container.run('relay-agent', ['status', '--json'])).code === 3 ? true : undefined,
        { withinMs: 40_000 },
      )
      const stopped = await lab.container.run('sh', ['-c', `systemctl stop ${unit}; relay-agent status`])
      expect(stopped.code).toBe(69)
      expect(stopped.stderr).toContain('the agent is not running')
    })
  },
)
