import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DoctorReport, examine } from '../src/doctor/examine.ts'
import { LocalMachine } from '../src/doctor/local-machine.ts'
import { openConfig } from '../src/doctor/open-config.ts'
import { probeRelay } from '../src/doctor/probe-relay.ts'
import { AgentProcess } from './agent-process.ts'
import { FixtureMachine, type FixtureMachineOptions } from './fixture-machine.ts'

let directory: string
const closers: (() => void)[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'relay-doctor-'))
})
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await rm(directory, { recursive: true, force: true })
})

const signal = new AbortController().signal

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** As every relay answers: 405 to a question without a token, an address to one with (spec session 4). */
const accessApi: RequestListener = (request, response) => {
  response.setHeader('content-type', 'application/json')
  if (request.method === 'GET') {
    response.writeHead(405).end('{"code":405,"message":"method GET is not allowed, but [POST] are"}')
  } else if (request.headers.authorization?.endsWith('.refused') === true) {
    response.writeHead(401).end('{"code":401,"message":"token invalid"}')
  } else response.end('{"uri":"wss://relay.example.org/session/x?code=1"}')
}

/** Files of a machine, by path. */
async function writeRoot(files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(directory, 'root')
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    if (text.startsWith('-> ')) await symlink(text.slice(3), join(root, path))
    else await writeFile(join(root, path), text, { mode: 0o666 })
  }
  return root
}

const board = {
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nrelay-agent:x:990:990::/:/bin/false\n',
  '/etc/group': 'dialout:x:20:relay-agent\nvideo:x:44:relay-agent\n',
  '/sys/class/thermal/thermal_zone0/type': 'cpu-thermal\n',
  '/sys/class/thermal/thermal_zone0/temp': '48312\n',
  '/sys/class/hwmon/hwmon1/name': 'rpi_volt\n',
  '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '0\n',
  '/run/systemd/timesync/synchronized': '',
  '/var/log/journal/x': '',
  '/etc/systemd/journald.conf.d/size.conf': '[Journal]\nSystemMaxUse=200M\n',
  '/dev/watchdog': '',
  '/dev/ttyACM0': '',
  '/dev/serial/by-id/usb-Nano-if00': '-> ../../ttyACM0',
}

const commands = {
  'systemctl show relay-agent.service':
    'LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nResult=success\nNRestarts=0\nStatusText=pend00: linked\nWatchdogUSec=30s\nUser=relay-agent\nSupplementaryGroups=\nEnvironment=\nNeedDaemonReload=no\n',
  'systemctl show --property=RuntimeWatchdogUSec': 'RuntimeWatchdogUSec=15s\n',
  'systemctl show ModemManager.service': 'ActiveState=inactive\n',
  'timedatectl show': 'NTP=yes\nNTPSynchronized=yes\n',
  ffmpeg: 'ffmpeg version 7.1.1\n V.S... mpeg1video           MPEG-1 video\n',
  setpriv: 'setpriv\n',
  vcgencmd: 'throttled=0x0\n',
}

async function examineBoard(
  yaml: string,
  options: Partial<FixtureMachineOptions> = {},
): Promise<DoctorReport> {
  const root = options.root ?? (await writeRoot(board))
  const configFile = join(directory, 'agent.yaml')
  if (yaml !== '') await writeFile(configFile, yaml)
  const machine = new FixtureMachine({ commands, ...options, root })
  return await examine({
    configFile,
    opened: openConfig({ path: configFile, environment: {}, arguments: {} }),
    machine,
    signal,
  })
}

function lines(report: DoctorReport, level: string): readonly string[] {
  return report.areas.flatMap(({ area, verdicts }) =>
    verdicts.filter((verdict) => verdict.level === level).map(({ what }) => `${area}: ${what}`),
  )
}

const exp = 3_911_760_000
const claims = { topic: 'pend00-data', prefix: 'session', scopes: ['read', 'write'], exp, nbf: 1, iat: 1 }

function tokenOf(payload: object, signature = 'signature'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'HS256' })}.${part(payload)}.${signature}`
}

describe('a board', () => {
  test('on which everything is right has no problem and no warning', async () => {
    const port = await listen(createServer(accessApi))
    const access = `http://127.0.0.1:${port}`
    const tokenFile = '/etc/relay-agent/data.token'
    const root = await writeRoot({ ...board, [tokenFile]: tokenOf({ ...claims, aud: access }) })
    await rm(join(root, 'dev/ttyACM0'))
    // A terminal in place of a serial port: both are character devices.
    await symlink('/dev/tty', join(root, 'dev/ttyACM0'))
    const report = await examineBoard(
      `relay: { access: '${access}' }
topics: [{ topic: pend00-data, feed: data, tokenFile: ${tokenFile} }]
cameras: [{ name: test, preset: test-pattern }]
instruments: [{ name: board, device: /dev/serial/by-id/usb-Nano-if00 }]`,
      { root },
    )

    expect(lines(report, 'problem')).toEqual([])
    expect(lines(report, 'ok')).toEqual(
      expect.arrayContaining([
        'systemd: the agent runs: pend00: linked',
        'systemd: the hardware watchdog is on (15s)',
        'systemd: logs outlive a restart, and their size is limited',
        `relay: the access API of 127.0.0.1:${port} answers`,
        `relay: clock here and at 127.0.0.1:${port} agree`,
        `tokens: the relay takes ${tokenFile} (pend00-data)`,
        'temperature: cpu-thermal has 48 °C',
        'power: the supply is strong enough',
        'ffmpeg: test: the encoder mpeg1video is there',
      ]),
    )
    // The token is readable for everybody in this tree.
    expect(lines(report, 'warning')).toEqual([
      `tokens: everybody on this machine may read ${tokenFile} (pend00-data)`,
    ])
  })

  test('without a configuration is looked at all the same', async () => {
    const report = await examineBoard('', { environment: { PWD: directory } })

    expect(lines(report, 'problem')).toEqual([
      `configuration: there is no configuration file ${directory}/agent.yaml; only the machine itself is looked at`,
    ])
    expect(lines(report, 'ok')).toContain('temperature: cpu-thermal has 48 °C')
  })

  test('with a wrong configuration is told its lines and looked at all the same', async () => {
    const report = await examineBoard('name: x\ncamras: []\n')

    expect(lines(report, 'problem')).toEqual([expect.stringMatching(/agent\.yaml line 2: camras/)])
    expect(lines(report, 'ok')).toContain('power: the supply is strong enough')
  })

  test('with everything wrong is told everything at once', async () => {
    const port = await listen(createServer(accessApi))
    const root = await writeRoot({
      ...board,
      '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '1\n',
      '/sys/class/thermal/thermal_zone0/temp': '93000\n',
      '/etc/relay-agent/data.token': tokenOf({ ...claims, topic: 'pend01-data' }, 'refused'),
    })
    const report = await examineBoard(
      `relay: { access: 'http://127.0.0.1:${port}' }
topics:
  - { topic: pend00-data, feed: data, tokenFile: /etc/relay-agent/data.token }
  - { topic: pend00-video, feed: video, tokenFile: /etc/relay-agent/none.token }
cameras: [{ name: front, device: /dev/v4l/by-id/none }]
instruments: [{ name: board, device: /dev/ttyUSB7 }]
recordings: { directory: /srv/none }`,
      {
        root,
        commands: {
          ...commands,
          ffmpeg: { kind: 'late', stdout: '', stderr: '' },
          'systemctl show relay-agent.service':
            'LoadState=loaded\nUnitFileState=disabled\nActiveState=failed\nResult=watchdog\n',
          'systemctl show ModemManager.service': 'ActiveState=active\n',
        },
      },
    )

    const problems = lines(report, 'problem').join('\n')
    for (const expected of [
      /systemd: the service does not start with the machine/,
      /systemd: the agent does not run \(failed, watchdog\)/,
      /tokens: .*data\.token \(pend00-data\) is for the topic "pend01-data"/,
      /tokens: .*data\.token \(pend00-data\): the access server refused the token/,
      /tokens: the token file .*none\.token \(pend00-video\) is not there/,
      /cameras: the camera front, .* is not there; no USB camera is connected/,
      /ffmpeg: ffmpeg is not installed or does not run/,
      /serial ports: the serial port of board, \/dev\/ttyUSB7, is not there; connected: .*usb-Nano-if00/,
      /disk: the directory \/srv\/none for recordings is not there/,
      /temperature: cpu-thermal has 93 °C/,
      /power: the voltage is too low/,
    ])
      expect(problems).toMatch(expected)
    expect(lines(report, 'warning').join('\n')).not.toContain('undefined')
    expect(report.counts.problem).toBe(lines(report, 'problem').length)
  })

  test('whose serial port is held by another program is told which', async () => {
    const root = await writeRoot({
      ...board,
      '/proc/4711/comm': 'picocom\n',
      '/proc/4711/cgroup': '0::/user.slice\n',
      '/proc/4711/fd/3': '-> /dev/ttyACM0',
      '/proc/4712/comm': 'relay-agent\n',
      '/proc/4712/cgroup': '0::/system.slice/relay-agent.service\n',
      '/proc/4712/fd/9': '-> /dev/ttyACM0',
      '/proc/4713/fd': 'a file where a directory should be',
    })
    const report = await examineBoard(
      'instruments: [{ name: board, device: /dev/serial/by-id/usb-Nano-if00 }]',
      { root },
    )

    expect(lines(report, 'problem')).toContain('serial ports: board: /dev/ttyACM0 is used by picocom (4711)')
  })
})

describe('a relay', () => {
  const fixture = (name: string): string =>
    readFileSync(new URL(`../../common/test/fixtures/${name}`, import.meta.url), 'utf8')
  const cert = fixture('lab-test-certificate.pem')
  const key = fixture('lab-test-key.pem')
  const ask = (url: string, timeoutMs = 20_000, environment = {}) =>
    probeRelay({ url, environment, timeoutMs, signal, nowMs: () => Date.now() })

  test('whose certificate nobody vouches for is told, with what it answers', async () => {
    const port = await listen(createTlsServer({ cert, key }, accessApi))
    const answer = await ask(`https://localhost:${port}/session/doctor`)

    expect(answer).toMatchObject({
      kind: 'answered',
      status: 405,
      certificate: { fault: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
  })

  test('whose certificate is right, or for another name, is told', async () => {
    const usual = getCACertificates('default')
    setDefaultCACertificates([...usual, cert])
    closers.push(() => setDefaultCACertificates(usual))
    const port = await listen(createTlsServer({ cert, key }, accessApi))

    expect(await ask(`https://localhost:${port}/`)).toMatchObject({
      certificate: { fault: undefined, expiresAtMs: Date.UTC(2120, 0, 1) },
    })
    expect(await ask(`https://127.0.0.1:${port}/`)).toMatchObject({
      certificate: { fault: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })

  test('that never answers, hangs up, or is not there is told in time', async () => {
    const mute = createTcpServer(() => undefined).listen(0, '127.0.0.1')
    const rude = createTcpServer((socket) => void socket.destroy()).listen(0, '127.0.0.1')
    closers.push(
      () => void mute.close(),
      () => void rude.close(),
    )
    await Promise.all([once(mute, 'listening'), once(rude, 'listening')])
    const url = (server: typeof mute): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

    expect(await ask(url(mute), 300)).toMatchObject({ kind: 'failed', fault: 'TIMEOUT' })
    expect(await ask(url(rude))).toMatchObject({ kind: 'failed', fault: 'ECONNRESET' })
    expect(await ask('http://127.0.0.1:1/')).toMatchObject({ kind: 'failed', fault: 'ECONNREFUSED' })
    expect(await ask('https://localhost:1/', 20_000, { HTTPS_PROXY: 'nonsense://' })).toMatchObject({
      kind: 'failed',
    })
  })

  test('that talks without end is cut short', async () => {
    const port = await listen(
      createServer((_request, response) => {
        const talk = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
        }
        response.on('drain', talk)
        talk()
      }),
    )
    const answer = await ask(`http://127.0.0.1:${port}/`)

    expect(answer.kind === 'answered' && answer.body.length).toBe(4_096)
  })
})

describe('the machine', () => {
  test('is read without waiting for pipes, without devices, and only so far', async () => {
    const root = await writeRoot({ '/long': 'x'.repeat(200_000) })
    spawnSync('mkfifo', [join(root, 'pipe')])
    await symlink('/dev/zero', join(root, 'zero'))
    const machine = new LocalMachine({ environment: {}, signal, root })

    expect(await machine.readText('/pipe')).toBeUndefined()
    expect(await machine.readText('/zero')).toBeUndefined()
    expect((await machine.readText('/long'))?.length).toBe(65_536)
  })

  test('runs commands within their time and with output of limited length', async () => {
    const machine = new LocalMachine({ environment: { PATH: process.env.PATH }, signal })

    expect(await machine.run('sleep', ['600'], { timeoutMs: 200 })).toMatchObject({ kind: 'late' })
    expect(await machine.run('no-such-program', [])).toEqual({ kind: 'missing' })
    const loud = await machine.run('yes', [], { timeoutMs: 500, maxOutputBytes: 1_000 })
    expect(loud.kind === 'late' && loud.stdout.length).toBe(1_000)
  })
})

describe('the program', () => {
  test('exits with 1 where there is a problem, and gives JSON', async () => {
    const doctor = new AgentProcess({ args: ['doctor', '--json', '--config', join(directory, 'none.yaml')] })

    expect(await doctor.exitCode()).toBe(1)
    const report = JSON.parse(doctor.stdout) as DoctorReport
    expect(report.areas.map(({ area }) => area)).toEqual([
      'configuration',
      'systemd',
      'clock',
      'DNS',
      'proxy',
      'relay',
      'tokens',
      'cameras',
      'ffmpeg',
      'serial ports',
      'disk',
      'temperature',
      'power',
    ])
    expect(lines(report, 'problem')).toContainEqual(expect.stringMatching(/none\.yaml/))
  })

  test('exits with 0 where nothing is a problem, and speaks plainly where no terminal is', async () => {
    const config = join(directory, 'agent.yaml')
    await writeFile(config, 'name: x\n')
    const doctor = new AgentProcess({ args: ['doctor', '--config', config] })

    const code = await doctor.exitCode()
    expect(doctor.stdout).toContain(`configuration: ${config} is right`)
    expect(doctor.stdout).not.toContain('\u001B')
    // What the machine of the test is like decides whether there is a problem.
    expect(code).toBe(/^Problems$/m.test(doctor.stdout) ? 1 : 0)
    expect(doctor.stderr).toBe('')
  })
})
