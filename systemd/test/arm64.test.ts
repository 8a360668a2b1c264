import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PtyPair } from '../../agent/test/pty-pair.ts'
import { agentVersion } from '../../agent/src/version.ts'
import { OwnedProcess } from '../../test-rig/src/lab/owned-process.ts'
import { RelayUnderTest } from '../../test-rig/src/rig/relay-under-test.ts'
import { until } from '../../test-rig/src/rig/until.ts'
import { Arm64Root, whyNoArm64Root } from './container/arm64-root.ts'
import { builtPackage } from './packages.ts'

const why = whyNoArm64Root()
/** Emulated, on a busy machine. */
const slowlyMs = 100_000
const node = '/usr/lib/relay-agent/bin/node'
const prebuilds = '/usr/lib/relay-agent/prebuilds/linux-arm64'

describe.skipIf(why !== undefined)(
  `the package for arm64${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    const cleanUp = new AsyncDisposableStack()
    let root: Arm64Root

    beforeAll(async () => {
      root = cleanUp.use(await Arm64Root.unpack())
      await copyFile(builtPackage('relay-agent', 'arm64'), join(root.path, 'tmp/agent.deb'))
      // Its dpkg knows of no package, so nothing that ours depends on is there for it (the containers test that).
      await root.run(['dpkg', '--install', '--force-depends', '/tmp/agent.deb'], { withinMs: 300_000 })
    }, 600_000)
    afterAll(async () => await cleanUp.disposeAsync())

    test('installs with user, groups and an enabled service', async () => {
      const passwd = await readFile(join(root.path, 'etc/passwd'), 'utf8')
      const group = await readFile(join(root.path, 'etc/group'), 'utf8')
      const enabled = await readdir(join(root.path, 'etc/systemd/system/multi-user.target.wants'))

      expect(passwd).toMatch(/^relay-agent:.*:\/var\/lib\/relay-agent:\/usr\/sbin\/nologin$/m)
      expect(group).toMatch(/^dialout:.*relay-agent$/m)
      expect(group).toMatch(/^video:.*relay-agent$/m)
      expect(enabled).toEqual(['relay-agent.service'])
      expect(await root.run([node, '-p', 'process.arch'], { withinMs: slowlyMs })).toBe('arm64')
    })

    test('says its version', async () => {
      expect(await root.run(['relay-agent', 'version'], { withinMs: slowlyMs })).toBe(agentVersion)
    })

    test('has add-ons that load, each of them', async () => {
      const addons = (await readdir(join(root.path, prebuilds))).filter((name) => name.endsWith('.node'))
      const load = `for (const name of process.argv.slice(1)) require('${prebuilds}/' + name)`

      expect(addons.some((name) => name.includes('serialport'))).toBe(true)
      expect(addons.some((name) => name.includes('notify'))).toBe(true)
      await root.run([node, '-e', load, ...addons], { withinMs: slowlyMs })
    })

    test('carries lines both ways between a serial port and a relay, and tells systemd by its add-on', async () => {
      await using own = new AsyncDisposableStack()
      const cable = new PtyPair(join(root.path, 'run'))
      await cable.plug()
      own.defer(() => cable.unplug())
      const relay = own.use(await RelayUnderTest.start())
      await writeFile(join(root.path, 'etc/relay-agent/tokens/data.token'), await relay.token('pend-data'))
      await writeFile(
        join(root.path, 'etc/relay-agent/agent.yaml'),
        [
          `relay: { access: "${relay.access}" }`,
          'localApi: { enabled: false }',
          "status: { socket: '' }",
          'topics: [{ topic: pend-data, feed: data, tokenFile: tokens/data.token }]',
          'instruments: [{ name: board, feed: data, device: /run/tty-board }]',
          '',
        ].join('\n'),
      )
      expect(await root.run(['relay-agent', 'check'], { withinMs: slowlyMs })).toMatch(/agent\.yaml is right/)
      // The program that stands in where the add-on does not load must not help.
      await rm(join(root.path, 'bin/systemd-notify'), { force: true })
      const notices: string[] = []
      own.use(await listenForNotices(join(root.path, 'run/notify'), notices))
      const viewer = own.use(await relay.join('pend-data'))
      const command = ['env', 'NOTIFY_SOCKET=/run/notify', 'relay-agent', 'run']
      const said: string[] = []
      const agent = await root.start('agent', command, (line) => void said.push(line))
      own.defer(() => agent.kill())

      // What a board says before its port is open is lost.
      const talking = setInterval(() => cable.say('{"angle":1.5}\n'), 200)
      own.defer(() => clearInterval(talking))
      await viewer.text('{"angle":1.5}', slowlyMs).catch((cause: unknown) => {
        throw new Error(`no line came; the agent said ${said.join('\n')} ${agent.lastLines.join('\n')}`, {
          cause,
        })
      })
      viewer.send('{"set":"speed","to":3}')
      await until('the command at the board', () => cable.received.includes('{"set":"speed","to":3}\n'))
      await until('its notice', () => notices.some((notice) => notice.includes('READY=1')))
    }, 200_000)
  },
)

/** A socket as systemd gives one to a service; socat reads it, as Node knows no unix datagrams. */
async function listenForNotices(path: string, notices: string[]): Promise<OwnedProcess> {
  const socat = await OwnedProcess.start({
    name: 'notify socket',
    command: 'socat',
    args: ['-u', `UNIX-RECV:${path}`, 'STDOUT'],
    onLine: (line) => void notices.push(line),
  })
  await until('the notify socket', () => existsSync(path))
  return socat
}
