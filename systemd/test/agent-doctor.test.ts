import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../test-rig/src/rig/until.ts'
import { InstalledLab } from './container/installed-lab.ts'
import { whyNoContainer } from './container/why-no-container.ts'

const why = whyNoContainer()
const unit = 'relay-agent.service'
const oldDevice = fileURLToPath(new URL('../../agent/test/fixtures/old-devices/spinner', import.meta.url))
const oldFiles = [
  'etc/practable/video.access',
  'etc/practable/video.token',
  'etc/practable/data.access',
  'etc/practable/data.token',
  'etc/systemd/system/session.service',
  'etc/systemd/system/session-rules.service',
  'etc/systemd/system/socat.service',
  'etc/systemd/system/websocat.service',
  'usr/local/bin/session-rules',
]

interface Report {
  readonly areas: readonly {
    readonly area: string
    readonly verdicts: readonly { readonly level: string; readonly what: string }[]
  }[]
}

/** What the doctor asks of systemd is only true where systemd is. */
describe.skipIf(why !== undefined)(
  `doctor and import on an installed board${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let lab: InstalledLab

    beforeAll(async () => {
      lab = await InstalledLab.install({ title: 'doctor', packages: ['relay-agent'] })
    })
    // Absent where the installation failed.
    afterAll(async () => await (lab as InstalledLab | undefined)?.[Symbol.asyncDispose]())

    async function examine(): Promise<readonly string[]> {
      const { stdout } = await lab.container.run('relay-agent', ['doctor', '--json'])
      const { areas } = JSON.parse(stdout) as Report
      return areas.flatMap(({ area, verdicts }) =>
        verdicts.map(({ level, what }) => `${level} ${area}: ${what}`),
      )
    }

    test('an old device becomes one whose service reads its tokens, in place of the untouched configuration', async () => {
      for (const file of oldFiles)
        await lab.container.write(`/${file}`, readFileSync(`${oldDevice}/${file}`, 'utf8'))

      const { code, stderr } = await lab.container.run('relay-agent', ['import'])
      await lab.container.shell(`relay-agent check && systemctl restart ${unit}`)

      expect(code).toBe(0)
      expect(stderr).toContain('systemctl disable --now session-rules.service session.service')
      expect(await lab.container.shell('stat -c "%U:%a" /etc/relay-agent/tokens/data.token')).toBe(
        'relay-agent:600',
      )
      expect(await lab.container.shell('stat -c "%G:%a" /etc/relay-agent/agent.yaml')).toBe('relay-agent:640')
      const log = await until('the agent in the journal', async () => {
        const text = await lab.container.shell(`journalctl --no-pager -u ${unit}`)
        return text.includes('agent is running') ? text : undefined
      })
      expect(log).not.toContain('TOKEN_FILE')
    })

    test('the doctor tells how the service is set up, and what its sandbox hides', async () => {
      const verdicts = await examine()

      expect(verdicts).toContainEqual(expect.stringMatching(/^ok systemd: the agent runs: /))
      expect(verdicts).not.toContainEqual(
        expect.stringMatching(/does not start with the machine|WatchdogSec/),
      )
      expect(verdicts).toContainEqual(
        expect.stringMatching(/^problem serial ports: the serial port of data, \/dev\/ttyACM0, is not there/),
      )
      expect(verdicts).not.toContainEqual(expect.stringMatching(/tokens: .*may not (?:read|enter)/))

      await lab.container.shell(
        `mkdir -p /home/pi /srv/recordings && cp /etc/relay-agent/tokens/data.token /home/pi/ && chown relay-agent /srv/recordings
chown root:root /etc/relay-agent/tokens/video.token
sed -i 's#tokens/data.token#/home/pi/data.token#' /etc/relay-agent/agent.yaml
printf 'recordings: { directory: /srv/recordings }\\n' >> /etc/relay-agent/agent.yaml`,
      )
      const later = await examine()

      expect(later).toContainEqual(
        expect.stringMatching(
          /^problem tokens: the service does not see \/home\/pi\/data\.token.*ProtectHome/,
        ),
      )
      expect(later).toContainEqual(
        expect.stringMatching(/^problem tokens: the user relay-agent may not read .*video\.token/),
      )
      expect(later).toContainEqual(
        expect.stringMatching(/^problem disk: the unit lets the service write nothing to \/srv\/recordings/),
      )
    })

    test('an archive is written and holds the journal and no token', async () => {
      await lab.container.shell('cd /root && relay-agent doctor --bundle /root/help.tar.gz || true')
      const text = await lab.container.shell('tar -xzOf /root/help.tar.gz')

      expect(text).toContain('agent is running')
      expect(text).toContain('relay-agent.service')
      expect(text).not.toMatch(/eyJ[\w-]{8}/)
    })

    test('a service that was switched off is told', async () => {
      await lab.container.shell(`systemctl disable --now ${unit}`)
      const verdicts = await examine()

      expect(verdicts).toContainEqual(
        expect.stringMatching(/^problem systemd: the service does not start with the machine \(disabled\)/),
      )
      expect(verdicts).toContainEqual(
        expect.stringMatching(/^problem systemd: the agent does not run \(inactive\)/),
      )
    })
  },
)
