import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeBundle } from '../src/doctor/bundle.ts'
import { bundleEntries } from '../src/doctor/bundle-entries.ts'
import { examine, redactorFor } from '../src/doctor/examine.ts'
import { openConfig } from '../src/doctor/open-config.ts'
import { Redactor } from '../src/doctor/redact.ts'
import { AgentProcess } from './agent-process.ts'
import { FixtureMachine } from './fixture-machine.ts'

let directory: string
const signal = new AbortController().signal

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'relay-bundle-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

/** Everything in an archive, names included. */
function unpacked(path: string): string {
  const { stdout, status } = spawnSync('tar', ['-xzOf', path], {
    encoding: 'utf8',
    maxBuffer: 64 * 1_048_576,
  })
  expect(status).toBe(0)
  return stdout + spawnSync('tar', ['-tzf', path], { encoding: 'utf8' }).stdout
}

const word = fc.string({
  unit: fc.constantFrom(...'abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789'.split('')),
  minLength: 12,
  maxLength: 24,
})
const part = (value: string): string => Buffer.from(value).toString('base64url')
const jwt = fc
  .tuple(word, word)
  .map(
    ([topic, signature]) =>
      `${part('{"alg":"HS256","typ":"JWT"}')}.${part(`{"topic":"${topic}"}`)}.${signature}`,
  )

/** A secret, and how it looks where nobody knows it as one. */
const planted = fc.record({
  token: jwt,
  otherToken: jwt,
  code: fc.uuid(),
  formless: word,
  cameraPassword: word,
  mqttPassword: word,
  wifiKey: word,
  proxyPassword: word,
})

test('secrets that stand anywhere on the machine never come out', async () => {
  await fc.assert(
    fc.asyncProperty(planted, fc.string({ maxLength: 20 }), async (secrets, noise) => {
      const { token, otherToken, code, formless, cameraPassword, mqttPassword, wifiKey, proxyPassword } =
        secrets
      const everything = [
        noise,
        `tried ${token}, then ${otherToken}`,
        `wss://relay.example.org/session/x?code=${code}`,
        `the token was ${formless}.`,
        `rtsp://admin:${cameraPassword}@192.0.2.1/1`,
        `MQTT_PASSWORD=${mqttPassword}`,
        `  password: "${mqttPassword}"`,
        `{"level":"info","mqttPassword":"${mqttPassword}"}`,
        `psk="${wifiKey}"`,
        `psk=${wifiKey}`,
        `wpa_passphrase=${wifiKey}`,
        `HTTPS_PROXY=http://lab:${proxyPassword}@proxy:3128`,
        noise,
      ].join('\n')
      const root = join(directory, 'root')
      await mkdir(join(root, 'etc'), { recursive: true })
      const configFile = join(directory, 'agent.yaml')
      const data = join(directory, 'data.token')
      await writeFile(data, `${token}\n`)
      await writeFile(join(directory, 'video.token'), formless)
      await writeFile(
        configFile,
        `topics:
  - { topic: a, feed: data, tokenFile: ${data} }
  - { topic: b, feed: video, tokenFile: ${join(directory, 'video.token')}, access: 'http://127.0.0.1:1' }
relay: { access: 'http://127.0.0.1:1' }
cameras: [{ name: net, preset: custom, arguments: [-i, 'rtsp://admin:${cameraPassword}@192.0.2.1/1'] }]
${everything.replaceAll(/^/gm, '# ')}
`,
      )
      const opened = openConfig({ path: configFile, environment: {}, arguments: {} })
      expect(opened.kind).toBe('read')
      const commands = Object.fromEntries(
        ['journalctl', 'lsusb', 'v4l2-ctl', 'systemctl', 'timedatectl', 'ffmpeg', 'uname', 'vcgencmd'].map(
          (name) => [name, everything],
        ),
      )
      const dmesg = everything.replaceAll(/^/gm, 'usb 1-1: ')
      const machine = new FixtureMachine({
        root: '/',
        environment: { API_TOKEN: formless, HTTPS_PROXY: `http://lab:${proxyPassword}@127.0.0.1:1` },
        commands: { ...commands, dmesg },
      })
      const report = await examine({ configFile, opened, machine, signal })
      const status = async (): Promise<unknown> => ({ name: everything, password: mqttPassword })
      const redactor = await redactorFor(opened.config, machine)
      const entries = await bundleEntries({ report, configFile, opened, machine, redactor, status })
      const path = join(directory, 'bundle.tar.gz')
      await rm(path, { force: true })
      await writeBundle({ path, directoryName: 'doctor', entries, redactor, signal })

      const text = unpacked(path)
      const found = Object.entries(secrets).filter(
        ([, secret]) => text.includes(secret) || JSON.stringify(report).includes(secret),
      )
      expect(found).toEqual([])
      expect(text).toContain('usb 1-1')
    }),
    { numRuns: 20 },
  )
}, 120_000)

const oneEntry = [{ name: 'a.txt', about: 'a', text: 'a' }]
const emptyRedactor = new Redactor([])

test('an archive is for its owner alone, and nothing else is left', async () => {
  const path = join(directory, 'bundle.tar.gz')
  await writeBundle({
    path,
    directoryName: 'doctor',
    entries: oneEntry,
    redactor: emptyRedactor,
    signal,
    temporaryDirectory: directory,
  })

  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(spawnSync('tar', ['-tzf', path], { encoding: 'utf8' }).stdout).toBe('doctor/\ndoctor/a.txt\n')
  expect(await readdir(directory)).toEqual(['bundle.tar.gz'])
})

test('a file that is there is never overwritten', async () => {
  const path = join(directory, 'mine.tar.gz')
  await writeFile(path, 'mine')

  await expect(
    writeBundle({ path, directoryName: 'doctor', entries: oneEntry, redactor: emptyRedactor, signal }),
  ).rejects.toMatchObject({ code: 'BUNDLE_EXISTS' })

  expect(await readFile(path, 'utf8')).toBe('mine')
})

test('an archive that cannot be finished is taken away', async () => {
  const path = join(directory, 'bundle.tar.gz')
  const stopped = AbortSignal.abort()

  await expect(
    writeBundle({
      path,
      directoryName: 'doctor',
      entries: oneEntry,
      redactor: emptyRedactor,
      signal: stopped,
    }),
  ).rejects.toMatchObject({ code: 'BUNDLE_FAILED' })

  expect(await readdir(directory)).toEqual([])
})

test('what is very long is cut', async () => {
  const path = join(directory, 'bundle.tar.gz')
  const long = [{ name: 'a.txt', about: 'a', text: 'some words '.repeat(200_000) }]
  await writeBundle({ path, directoryName: 'doctor', entries: long, redactor: emptyRedactor, signal })

  const text = unpacked(path)
  expect(text.length).toBeLessThan(530_000)
  expect(text).toContain('(the rest was left out)')
})

test('the program says where the archive is and what is in it, and writes it once', async () => {
  const args = ['doctor', '--config', join(directory, 'none.yaml')]
  const path = join(directory, 'given.tar.gz')
  const doctor = new AgentProcess({ args: [...args, '--bundle', path] })

  expect(await doctor.exitCode()).toBe(1)
  expect(doctor.stderr).toContain(`Written: ${path}`)
  expect(doctor.stderr).toContain('journal.txt: the last 600 lines of its log')
  expect(unpacked(path)).toContain('report.json')

  const again = new AgentProcess({ args: [...args, '--bundle', path] })
  expect(await again.exitCode()).toBe(69)
  expect(again.stderr).toContain('is not overwritten')
})
