import { createHash } from 'node:crypto'
import { globSync, readFileSync, statSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentPackage } from '../debian/agent-package.ts'
import { libraryDepends } from '../debian/package-definition.ts'
import { serverPackage } from '../debian/server-package.ts'
import { EchoSshd } from '../../test-rig/src/shell/echo-sshd.ts'
import { runCommand } from './container/run-command.ts'
import { commandOfNode, emulatorOf } from './emulator.ts'
import { builtPackage } from './packages.ts'
import { ShippedAgent } from './shipped-agent.ts'
import { ShippedShell } from './shipped-shell.ts'
import { UnpackedPackage } from './unpacked-package.ts'

const checkout = join(import.meta.dirname, '../..')
/** How a page shows bold letters: each behind itself and a step back. */
const overstruck = new RegExp(`.${String.fromCharCode(8)}`, 'g')
const packages = [
  { definition: agentPackage, architecture: 'amd64' },
  { definition: agentPackage, architecture: 'arm64' },
  { definition: serverPackage, architecture: 'amd64' },
  { definition: serverPackage, architecture: 'arm64' },
] as const

test('lintian finds nothing', async () => {
  // Those for arm64 differ in their binaries alone, and it reads each Node for many seconds.
  const files = [builtPackage('relay-agent', 'amd64'), builtPackage('relay-server', 'amd64')]

  const { code, stdout } = await runCommand(
    'lintian',
    ['--allow-root', '--fail-on', 'error,warning', ...files],
    { withinMs: 300_000 },
  )

  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
}, 320_000)

describe.each(packages)('$definition.name for $architecture', ({ definition, architecture }) => {
  const { name } = definition
  let unpacked: UnpackedPackage
  beforeAll(async () => {
    unpacked = await UnpackedPackage.open(name, architecture)
  })
  afterAll(() => unpacked[Symbol.dispose]())

  test('belongs to root, and nobody else may change it', async () => {
    const { stdout } = await runCommand('dpkg-deb', ['-c', unpacked.file])

    const wrong = stdout
      .trim()
      .split('\n')
      .filter((line) => !/^(?:-rw-r--r--|-rwxr-xr-x|drwxr-xr-x) root\/root /.test(line))
    expect(wrong).toEqual([])
  })

  test('names no path of the machine on which it was made', () => {
    const files = globSync(
      ['usr/lib/*/lib/*', 'usr/lib/*/prebuilds/**/notify.node', 'usr/share/**/*', 'etc/**/*'],
      {
        cwd: unpacked.root,
      },
    )
      .map((file) => unpacked.path(file))
      .filter((file) => statSync(file).isFile())

    const naming = files.filter((file) => readFileSync(file).includes(checkout))
    expect(files.length).toBeGreaterThan(10)
    expect(naming).toEqual([])
  })

  test('carries the binary that the Node project made, and is as long as it says', async () => {
    const hash = createHash('sha256').update(readFileSync(unpacked.path('usr/lib', name, 'bin/node')))
    const { code, stdout } = await runCommand('sh', [
      '-c',
      `cd ${unpacked.root} && md5sum -c --quiet DEBIAN/md5sums`,
    ])

    expect(readFileSync(join(checkout, 'systemd/build/pinned-node.ts'), 'utf8')).toContain(hash.digest('hex'))
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  })

  test('asks of the system libraries no more than Depends says', async () => {
    const binaries = [
      unpacked.path('usr/lib', name, 'bin/node'),
      ...globSync(unpacked.path('usr/lib', name, 'prebuilds/*/*.node')),
    ]

    const dump = await runCommand('readelf', ['--wide', '--version-info', ...binaries])
    const newest = (symbol: string): string =>
      [...dump.stdout.matchAll(new RegExp(`Name: ${symbol}_([0-9.]+)`, 'g'))]
        .map(([, version]) => version ?? '')
        .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
        .at(-1) ?? ''
    const needed = await runCommand('sh', [
      '-c',
      'readelf -d "$@" | sed -n "s/.*NEEDED.*\\[\\(.*\\)\\]/\\1/p" | sort -u',
      'sh',
      ...binaries,
    ])

    expect(libraryDepends).toContain(`libc6 (>= ${newest('GLIBC')})`)
    // GLIBCXX_3.4.21 came with gcc 5; the first libstdc++6 of Debian whose version says so is that of gcc 6.
    expect(newest('GLIBCXX').localeCompare('3.4.22', 'en', { numeric: true })).toBeLessThanOrEqual(0)
    expect(
      needed.stdout
        .trim()
        .split('\n')
        .map((library) => library.replace(/\.so.*/, '')),
    ).toEqual(expect.arrayContaining(['libc', 'libstdc++']))
    expect(needed.stdout).not.toMatch(/libatomic|libssl|libsystemd|libudev/)
  })

  test('has a manual page of every program that tells all its commands', async () => {
    for (const program of definition.programs) {
      const page = gunzipSync(
        readFileSync(unpacked.path('usr/share/man/man1', `${program.name}.1.gz`)),
      ).toString()
      const lint = await runCommand('mandoc', ['-Tlint', '-Wwarning'], { input: page })
      const shown = await runCommand('mandoc', ['-Tascii'], { input: page })
      const text = shown.stdout.replaceAll(overstruck, '')

      expect(lint.stdout.replaceAll(/^.*outdated mandoc\.db.*\n/gm, '')).toBe('')
      for (const { usage, options = {} } of program.commands) {
        expect(text).toMatch(new RegExp(`^ {5}${usage.split(' ')[0]}\\b`, 'm'))
        for (const option of Object.keys(options)) expect(text).toContain(`--${option}`)
      }
    }
  })

  test('says the terms of every library that is inside', () => {
    const copyright = readFileSync(unpacked.path('usr/share/doc', name, 'copyright'), 'utf8')
    const sources = globSync(unpacked.path('usr/lib', name, 'lib', '*.map')).flatMap(
      (map) => (JSON.parse(readFileSync(map, 'utf8')) as { readonly sources: readonly string[] }).sources,
    )
    const libraries = sources.flatMap(
      (source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? [],
    )

    expect(libraries.length).toBeGreaterThan(20)
    for (const library of new Set(libraries)) expect(copyright).toMatch(new RegExp(`^${library} \\d`, 'm'))
    expect(copyright).toContain('Node.js is licensed for use as follows')
  })

  test('has maintainer scripts that a shell can read, filled in', async () => {
    for (const script of ['postinst', 'prerm', 'postrm']) {
      const { code, stderr } = await runCommand('sh', ['-n', unpacked.path('DEBIAN', script)])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(readFileSync(unpacked.path('DEBIAN', script), 'utf8')).not.toMatch(/@[A-Z_]+@/)
    }
  })
})

describe('what the agent for this machine and for a Raspberry Pi does once unpacked', () => {
  const machines = [
    { architecture: 'amd64', cpu: 'x64', emulator: emulatorOf('x64') },
    { architecture: 'arm64', cpu: 'arm64', emulator: emulatorOf('arm64') },
  ] as const

  test.each(machines)(
    'on $architecture it carries lines both ways between serial port and client',
    async ({ architecture, cpu }) => {
      using unpacked = await UnpackedPackage.open('relay-agent', architecture)
      const home = unpacked.path('usr/lib/relay-agent')
      await using agent = await ShippedAgent.start([
        ...commandOfNode(join(home, 'bin/node'), cpu, unpacked.root),
        join(home, 'lib/relay-agent.mjs'),
      ])

      expect(await agent.exchangeLines()).toEqual({
        client: ['{"angle":1.5}'],
        instrument: '{"set":"mode"}\n',
      })
    },
  )

  test.each(machines)(
    'on $architecture it can talk to systemd by its add-on',
    async ({ architecture, cpu, emulator }) => {
      using unpacked = await UnpackedPackage.open('relay-agent', architecture)
      const home = unpacked.path('usr/lib/relay-agent')
      const addon = join(home, 'prebuilds', `linux-${cpu}`, 'notify.node')
      const script = `const m = { exports: {} }; process.dlopen(m, ${JSON.stringify(addon)});
      console.log(m.exports.send(${JSON.stringify(unpacked.path('nobody-listens'))}, 'READY=1'))`
      const [command, ...args] = [...emulator, join(home, 'bin/node'), '-e', script]

      const { stdout, stderr } = await runCommand(command ?? '', args)

      // ENOENT: the add-on was loaded, and the kernel asked.
      expect({ stdout, stderr }).toEqual({ stdout: '2\n', stderr: '' })
    },
  )

  test('with the configuration that it is installed with it finds nothing wrong', async () => {
    using unpacked = await UnpackedPackage.open('relay-agent', 'amd64')
    const home = unpacked.path('usr/lib/relay-agent')

    const { code, stdout, stderr } = await runCommand(join(home, 'bin/node'), [
      join(home, 'lib/relay-agent.mjs'),
      'check',
      '--config',
      unpacked.path('etc/relay-agent/agent.yaml'),
    ])

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('is right')
  })
})

test.each([
  { architecture: 'amd64', cpu: 'x64' },
  { architecture: 'arm64', cpu: 'arm64' },
] as const)(
  'the shell on the server carries bytes both ways once unpacked, on $architecture',
  async ({ architecture, cpu }) => {
    using unpacked = await UnpackedPackage.open('relay-server', architecture)
    const home = unpacked.path('usr/lib/relay-server')
    await using shell = await ShippedShell.start([
      ...commandOfNode(join(home, 'bin/node'), cpu, unpacked.root),
      join(home, 'lib/shell.mjs'),
    ])

    const { code, stdout, stderr } = await shell.connect('there and back')

    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${EchoSshd.banner.toString()}there and back`,
      stderr: '',
    })
  },
  320_000,
)

test.each([
  { program: 'relay', command: 'config', file: 'etc/relay/relay.yaml' },
  { program: 'shell', command: 'settings', file: 'etc/shell-relay/shell.yaml' },
])(
  'the configuration of $program on the server has every setting, and asks only for what nobody can know',
  async ({ program, command, file }) => {
    using unpacked = await UnpackedPackage.open('relay-server', 'amd64')
    const node = unpacked.path('usr/lib/relay-server/bin/node')
    const bundle = unpacked.path(`usr/lib/relay-server/lib/${program}.mjs`)

    const args = [bundle, command, '--config', unpacked.path(file)]
    const asInstalled = await runCommand(node, args)
    const filledIn = await runCommand(node, [
      ...args,
      '--audience=https://lab.example.org/access',
      '--url=wss://lab.example.org/relay',
    ])

    expect(asInstalled.code).toBe(78)
    expect(asInstalled.stderr).toMatch(/audience[^]*url/)
    expect({ code: filledIn.code, stderr: filledIn.stderr }).toEqual({ code: 0, stderr: '' })
    expect(filledIn.stdout).toContain('"secret"')
  },
)
