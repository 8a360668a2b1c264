import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InstalledLab } from './container/installed-lab.ts'
import { whyNoContainer } from './container/why-no-container.ts'

const why = whyNoContainer()
const agent = 'relay-agent.service'
const relay = 'shell-relay.service'
/** As ssh-keygen writes one: each field behind its length. */
const hostKey = `ssh-ed25519 ${Buffer.concat(
  [Buffer.from('ssh-ed25519'), randomBytes(32)].map((field) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(field.length)
    return Buffer.concat([length, field])
  }),
).toString('base64')}`

/** The image has no sshd: a unit of systemd's stands at its port, says a banner and gives back what it gets. */
const mockSshd = {
  'mock-sshd.socket': ['[Socket]', 'ListenStream=127.0.0.1:22', 'Accept=yes', ''].join('\n'),
  'mock-sshd@.service': [
    '[Service]',
    'ExecStart=/bin/sh -c "echo SSH-2.0-mock; exec cat"',
    'StandardInput=socket',
    '',
  ].join('\n'),
} as const

/** What an administrator does, in the order of README.md, with both packages on one machine. */
describe.skipIf(why !== undefined)(
  `the agent's service as a shell host${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let lab: InstalledLab

    beforeAll(async () => {
      lab = await InstalledLab.install({
        title: 'agent-shell',
        packages: ['relay-server', 'relay-agent'],
        shellCredentials: { 'shell.token': 'pend00' },
      })
      await lab.container.write('/etc/ssh/ssh_host_ed25519_key.pub', `${hostKey} root@board\n`)
      await lab.container.write('/etc/hosts', '127.0.0.1 localhost\n')
      for (const [name, text] of Object.entries(mockSshd))
        await lab.container.write(`/etc/systemd/system/${name}`, text)
      await lab.container.shell('systemctl daemon-reload; systemctl start mock-sshd.socket')
      await lab.setUpShellRelay()
    })
    // Absent where the installation failed.
    afterAll(async () => await (lab as InstalledLab | undefined)?.[Symbol.asyncDispose]())

    /** `shell connect` as a person types it, with a token as `shell token` prints it. */
    async function connect(input: string): Promise<string> {
      return await lab.container.shell(
        'cat > /root/input; shell connect pend00 --quiet --token-file /root/pend00.token < /root/input',
        { input },
      )
    }

    test('comes to the relay with a token that it has as a credential alone', async () => {
      const settings = ['shell:', '  session: http://127.0.0.1:3004/shell/pend00', '  tokenFile: shell.token']
      await lab.container.write('/etc/relay-agent/agent.yaml', `${settings.join('\n')}\n`)
      await lab.container.shell(`relay-agent check && systemctl restart ${agent}`)

      await lab.property(relay, 'StatusText', (text) => text.includes('1 host, 0 sessions'))
      const held = `/run/credentials/${agent}/shell.token`
      expect(await lab.container.shell(`stat -c %a:%U ${held}; ls /etc/relay-agent/tokens`)).toMatch(
        /^4?40+:\w/,
      )
      const token = await lab.container.shell(`cat ${held}`)
      expect(token.split('.')).toHaveLength(3)
      expect(await lab.container.shell('journalctl --no-pager --output=export')).not.toContain(token)
    })

    test('joins whoever has a token with sshd, through its sandbox', async () => {
      await lab.container.shell(
        'shell token --role client --topic pend00 --lifetime 12h --audience http://127.0.0.1:3004 --secret-file /etc/shell-relay/secret > /root/pend00.token',
      )

      expect(await connect('there and back')).toBe('SSH-2.0-mock\nthere and back')
    })

    test('tells the keys of sshd, which shell config writes down', async () => {
      await lab.container.shell(
        'mkdir -p /root/.config/relay-shell; cp /root/pend00.token /root/.config/relay-shell/; shell config --user pi --write /root/.ssh/relay',
      )

      expect(await lab.container.shell('cat /root/.ssh/relay/known_hosts')).toBe(`pend00 ${hostKey}`)
      const entry = await lab.container.shell('cat /root/.ssh/relay/config')
      expect(entry).toContain('ProxyCommand shell connect pend00')
      expect(entry).toContain('HostKeyAlias pend00')
    })

    test('says in words that sshd is not there', async () => {
      await lab.container.shell('systemctl stop mock-sshd.socket')

      const { code, stderr } = await lab.container.run('shell', [
        'connect',
        'pend00',
        '--token-file',
        '/root/pend00.token',
      ])

      expect({ code, stderr }).toEqual({
        code: 23,
        stderr: expect.stringMatching(/sshd at localhost:22 .*refuses connections/) as unknown,
      })
    })
  },
)
