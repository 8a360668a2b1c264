import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { Mosquitto } from './mosquitto.ts'
import { live, runInstrument } from './mqtt-fixture.ts'
import { TestAuthority } from './test-authority.ts'

const directory = mkdtempSync(join(tmpdir(), 'mqtt-tls-'))
const authority = new TestAuthority(directory)
const stranger = new TestAuthority(directory, 'stranger')
const server = authority.sign('server')
const password = 'correct-horse-battery'
afterAll(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

/** The first fault of an instrument with these settings, and that nothing of it shows the password. */
async function faultWith(broker: string, settings: readonly string[]) {
  await using running = runInstrument(broker, settings)
  await eventually(() => running.instrument.status().fault !== undefined)
  const { fault } = running.instrument.status()
  expect(JSON.stringify([running.instrument.status(), running.lines])).not.toContain(password)
  return fault
}

function tlsBroker(
  { cert, key }: { readonly cert: string; readonly key: string },
  more: readonly string[] = [],
) {
  return Mosquitto.start({ lines: ['allow_anonymous true', `certfile ${cert}`, `keyfile ${key}`, ...more] })
}

describe.each(['5', '3.1.1'])('a broker with passwords, with MQTT %s', (protocol) => {
  async function start(): Promise<Mosquitto> {
    const file = write('passwords', '')
    spawnSync('mosquitto_passwd', ['-b', file, 'rig', password])
    return await Mosquitto.start({ lines: ['allow_anonymous false', `password_file ${file}`] })
  }

  test('lets in who has the right one, and a file that is put right is used without a restart', async () => {
    await using broker = await start()
    const passwordFile = write('password', 'wrong\n')
    await using running = runInstrument(`mqtt://127.0.0.1:${broker.port}`, [
      `protocol: ${protocol}`,
      'username: rig',
      `passwordFile: ${passwordFile}`,
    ])
    await eventually(() => running.instrument.status().fault !== undefined)
    expect(running.instrument.status().fault).toMatchObject({
      code: 'MQTT_LOGIN_REFUSED',
      message: expect.stringMatching(
        /refused the user "rig": check username and what stands in passwordFile/,
      ) as string,
    })

    writeFileSync(passwordFile, `${password}\n`)
    await live(running)
    expect(JSON.stringify([running.instrument.status(), running.lines])).not.toContain(password)
  })

  test('tells what to do about a missing name, a missing file and an empty one', async () => {
    await using broker = await start()
    const address = `mqtt://127.0.0.1:${broker.port}`
    const settings = [`protocol: ${protocol}`, 'username: rig']

    expect(await faultWith(address, [`protocol: ${protocol}`])).toMatchObject({
      code: 'MQTT_LOGIN_REFUSED',
      message: expect.stringContaining('give username and passwordFile') as string,
    })
    expect(await faultWith(address, [...settings, 'passwordFile: /nowhere/password'])).toMatchObject({
      code: 'MQTT_FILE_UNREADABLE',
      message: expect.stringContaining('passwordFile: the file /nowhere/password does not exist') as string,
    })
    expect(
      await faultWith(address, [...settings, `passwordFile: ${write('two', `${password}\nb\n`)}`]),
    ).toMatchObject({
      code: 'MQTT_FILE_WRONG',
    })
    const pipe = join(directory, `pipe-${protocol}`)
    spawnSync('mkfifo', [pipe])
    expect(await faultWith(address, [...settings, `passwordFile: ${pipe}`])).toMatchObject({
      code: expect.stringMatching(/MQTT_FILE_(?:UNREADABLE|WRONG)/) as string,
    })
  })
})

test('no broker is told apart from a wrong password', async () => {
  expect(await faultWith('mqtt://127.0.0.1:9', ['username: rig'])).toMatchObject({
    code: 'MQTT_UNREACHABLE',
    message: expect.stringContaining('nobody listens there') as string,
  })
})

describe('TLS', () => {
  test('with the right authority works', async () => {
    await using broker = await tlsBroker(server)
    await using running = runInstrument(`mqtts://127.0.0.1:${broker.port}`, [`caFile: ${authority.file}`])
    await live(running)
    expect(running.instrument.status()).toMatchObject({ connects: 1, fault: undefined })
  })

  test.each([
    ['of an authority that nobody knows', () => server, [], /authority is unknown here.*caFile/],
    ['of another authority', () => server, [`caFile: ${stranger.file}`], /caFile/],
    [
      'for another name',
      () => authority.sign('other', { alternative: 'DNS:broker.example.org' }),
      [`caFile: ${authority.file}`],
      /for another name/,
    ],
    [
      'that has expired',
      () => authority.sign('old', { days: -1 }),
      [`caFile: ${authority.file}`],
      /has expired.*clock/,
    ],
  ] as const)('refuses a certificate %s, and says what to do', async (_what, make, settings, message) => {
    await using broker = await tlsBroker(make())
    const fault = await faultWith(`mqtts://127.0.0.1:${broker.port}`, settings)

    expect(fault).toMatchObject({
      code: 'MQTT_CERTIFICATE_REFUSED',
      message: expect.stringMatching(message) as string,
    })
    expect(fault?.message).toContain(`mqtts://127.0.0.1:${broker.port}`)
    expect(broker.output).not.toContain('New client connected')
  })

  test('with client certificates lets in who has one and tells who has none', async () => {
    const client = authority.sign('client')
    const strange = stranger.sign('strange-client')
    await using broker = await tlsBroker(server, [`cafile ${authority.file}`, 'require_certificate true'])
    const address = `mqtts://127.0.0.1:${broker.port}`
    const ca = `caFile: ${authority.file}`
    await using running = runInstrument(address, [ca, `certFile: ${client.cert}`, `keyFile: ${client.key}`])
    await live(running)

    expect(await faultWith(address, [ca])).toMatchObject({ code: 'MQTT_CLIENT_CERTIFICATE_REFUSED' })
    expect(
      await faultWith(address, [ca, `certFile: ${strange.cert}`, `keyFile: ${strange.key}`]),
    ).toMatchObject({ code: 'MQTT_CLIENT_CERTIFICATE_REFUSED' })
  })

  test('with the wrong files tells which', async () => {
    await using broker = await tlsBroker(server)
    const address = `mqtts://127.0.0.1:${broker.port}`
    const client = authority.sign('client')

    expect(await faultWith(address, [`caFile: ${write('text', 'hello')}`])).toMatchObject({
      code: 'MQTT_FILE_WRONG',
      message: expect.stringContaining('holds no PEM') as string,
    })
    expect(await faultWith(address, [`certFile: ${client.cert}`, `keyFile: ${server.key}`])).toMatchObject({
      code: 'MQTT_FILE_WRONG',
    })
  })

  test('on one side only is named as such', async () => {
    await using secure = await tlsBroker(server)
    await using plain = await Mosquitto.start()

    expect(await faultWith(`mqtts://127.0.0.1:${plain.port}`, [])).toMatchObject({ code: 'MQTT_TLS_FAILED' })
    expect(await faultWith(`mqtt://127.0.0.1:${secure.port}`, [])).toMatchObject({
      code: expect.stringMatching(/MQTT_CLOSED|MQTT_LOST/) as string,
    })
  })
})
