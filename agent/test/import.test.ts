import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { importDevice, type ImportOutcome } from '../src/import/import-device.ts'
import { readConfig } from '../src/read-config.ts'

const devices = join(import.meta.dirname, 'fixtures', 'old-devices')
let directory: string
let output: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'relay-import-'))
  output = join(directory, 'new', 'agent.yaml')
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

function importFrom(
  root: string,
  options: { readonly force?: boolean; readonly isDryRun?: boolean } = {},
): Promise<ImportOutcome> {
  return importDevice({
    directory: '/etc/practable',
    output,
    root,
    isDryRun: false,
    force: false,
    environment: {},
    signal: new AbortController().signal,
    ...options,
  })
}

/** What `relay-agent check` reads. */
function readBack() {
  return readConfig({ path: output, environment: {}, arguments: {} })
}

const read = (path: string): Promise<string> => readFile(path, 'utf8')

describe('a board with the host, a camera and a serial port in units of their own', () => {
  const root = join(devices, 'spinner')

  test('becomes a configuration that the check takes and that does the same', async () => {
    await importFrom(root)

    const { config, warnings } = readBack()
    expect(config).toMatchObject({
      name: 'spin30',
      relay: { access: 'https://app.practable.io/ed0/access' },
      localApi: { port: 8888, host: 'localhost' },
      topics: [
        { topic: 'spin30-video', feed: 'video' },
        { topic: 'spin30-data', feed: 'data' },
      ],
      cameras: [
        {
          feed: 'video',
          preset: 'mpeg1-compat',
          device: '/dev/video0',
          size: '640x480',
          framesPerSecond: 24,
          kilobitsPerSecond: 1000,
        },
      ],
      instruments: [
        { feed: 'data', device: '/dev/ttyACM0', baudRate: 57_600, framing: 'line', endOfLineOut: 'crlf' },
      ],
      shell: { session: 'https://shell-access.practable.io/shell/spin30', sshd: { port: 22 } },
    })
    expect(warnings.filter(({ what }) => what.includes('token'))).toEqual([])
  })

  test('has its tokens copied, for the owner alone', async () => {
    await importFrom(root)

    for (const name of ['video', 'data', 'shell']) {
      const copy = join(directory, 'new', 'tokens', `${name}.token`)
      expect((await read(copy)).trim()).toBe((await read(join(root, `etc/practable/${name}.token`))).trim())
      expect((await stat(copy)).mode & 0o777).toBe(0o600)
    }
    expect((await readdir(join(directory, 'new', 'tokens'))).toSorted()).toEqual([
      'data.token',
      'shell.token',
      'video.token',
    ])
  })

  test('is told what was read, taken and left, and which units to switch off', async () => {
    const { text } = await importFrom(root)

    expect(text).toContain(
      '/usr/local/bin/session-rules line 9: the feed video goes to the topic spin30-video',
    )
    expect(text).toContain('/etc/practable/shell.token: the shell host of spin30 is part of the agent')
    expect(text).toContain(
      'systemctl disable --now session-rules.service session.service socat.service video.service websocat.service',
    )
    expect(text).not.toContain('keys.service')
  })

  test('shows no token, neither in its words nor in its configuration', async () => {
    const { text, yaml } = await importFrom(root)

    expect(`${text}${yaml}${await read(output)}`).not.toMatch(/eyJ/)
  })

  test('gets names of its devices that do not change, where it has just one', async () => {
    const copy = join(directory, 'root')
    await cp(root, copy, { recursive: true })
    await mkdir(join(copy, 'dev/v4l/by-id'), { recursive: true })
    await mkdir(join(copy, 'dev/serial/by-id'), { recursive: true })
    await writeFile(join(copy, 'dev/video0'), '')
    await writeFile(join(copy, 'dev/ttyACM0'), '')
    await symlink('../../video0', join(copy, 'dev/v4l/by-id/usb-C615-video-index0'))
    await symlink('../../ttyACM0', join(copy, 'dev/serial/by-id/usb-Nano-if00'))
    await symlink('../../ttyACM0', join(copy, 'dev/serial/by-id/usb-Nano-if01'))

    await importFrom(copy)

    expect(readBack().config.cameras[0]?.device).toBe('/dev/v4l/by-id/usb-C615-video-index0')
    expect(readBack().config.instruments[0]?.device).toBe('/dev/ttyACM0')
  })
})

test('a board with variables in a file and one script for everything becomes what can be said, and the rest is told', async () => {
  const { text } = await importFrom(join(devices, 'pendulum'))

  const { config } = readBack()
  expect(config).toMatchObject({
    name: 'pend07',
    relay: { access: 'https://relay-access.practable.io' },
    localApi: { port: 8889 },
    topics: [
      { topic: 'pend07-video', feed: 'stream/large' },
      { topic: 'pend07-data', feed: 'data' },
    ],
    streams: [{ stream: 'stream/large', feeds: ['video', 'audio'] }],
    instruments: [],
  })
  expect(config.cameras).toEqual([
    expect.objectContaining({
      preset: 'custom',
      arguments:
        '-hide_banner -f v4l2 -input_format mjpeg -i /dev/v4l/by-id/usb-046d_C270_HD_WEBCAM-video-index0 -filter:v transpose=2 -codec:v mpeg1video -b:v 800k -bf 0'.split(
          ' ',
        ),
    }),
  ])
  expect(text).toContain('start.sh line 16: the program pidui is not known here')
  expect(text).toContain('start.sh line 13: its recording is not taken over')
  expect(text).toContain(
    'look at pendulum.service before you disable it: relay-agent does not do what pidui does in it',
  )
  expect(text).not.toMatch(/disable --now/)
})

test('files of addresses and tokens alone are enough, and a token without an address names its relay itself', async () => {
  const { text } = await importFrom(join(devices, 'bare'))

  expect(readBack().config.topics).toMatchObject([
    { topic: 'truss05-data', feed: 'data' },
    { topic: 'truss05-video', feed: 'video' },
  ])
  expect(text).toContain('the token of truss05-data has expired')
})

test('a dry run writes nothing', async () => {
  const { yaml } = await importFrom(join(devices, 'spinner'), { isDryRun: true })

  expect(yaml).toContain('spin30-video')
  await expect(readdir(join(directory, 'new'))).rejects.toThrow('ENOENT')
})

describe('what stands in the place of the output', () => {
  const root = join(devices, 'spinner')

  test('is not overwritten', async () => {
    await mkdir(join(directory, 'new'))
    await writeFile(output, 'name: mine\n')

    await expect(importFrom(root)).rejects.toMatchObject({ code: 'IMPORT_OUTPUT_EXISTS' })

    expect(await readdir(join(directory, 'new'))).toEqual(['agent.yaml'])
    expect(await read(output)).toBe('name: mine\n')
  })

  test('gives way when forced, and is kept', async () => {
    await mkdir(join(directory, 'new'))
    await writeFile(output, 'name: mine\n')

    const { text } = await importFrom(root, { force: true })

    const kept = (await readdir(join(directory, 'new'))).find((name) => name.includes('before-import'))
    expect(await read(join(directory, 'new', kept ?? ''))).toBe('name: mine\n')
    expect(text).toContain(kept)
    expect(readBack().config.name).toBe('spin30')
  })

  test('gives way when it says nothing, as the file of a fresh package does', async () => {
    await mkdir(join(directory, 'new'))
    await writeFile(output, '# every setting\n#name: x\n')

    await importFrom(root)

    expect(readBack().config.name).toBe('spin30')
  })

  test('is kept also where it is another token', async () => {
    await mkdir(join(directory, 'new', 'tokens'), { recursive: true })
    await writeFile(join(directory, 'new', 'tokens', 'data.token'), 'another\n')

    await expect(importFrom(root)).rejects.toMatchObject({ code: 'IMPORT_OUTPUT_EXISTS' })

    expect(await readdir(join(directory, 'new'))).toEqual(['tokens'])
  })
})

describe('files that nobody expects', () => {
  test('of garbage give what is whole in them', async () => {
    const { text } = await importFrom(join(devices, 'garbage'))

    expect(readBack().config.cameras).toHaveLength(1)
    expect(text).toContain('/etc/practable/binary: it is no text')
    expect(text).toContain(
      '/etc/practable/rules.sh line 1: the body of this rule of a destination is no JSON',
    )
    expect(text).toContain('/etc/practable/video.token: it has 2 lines where there should be one')
  })

  test('that are not there give nothing, and nothing is written', async () => {
    const { isEmpty, text } = await importFrom(directory)

    expect(isEmpty).toBe(true)
    expect(text).not.toContain('dry-run')
    expect(await readdir(directory)).toEqual([])
  })

  test('that lead out of the root, in circles, or nowhere are passed over', async () => {
    const old = join(directory, 'root/etc/practable')
    await mkdir(old, { recursive: true })
    await symlink('loop.token', join(old, 'loop.token'))
    await symlink('nowhere', join(old, 'x.access'))
    await mkdir(join(old, 'y.token'))
    const outside = join(devices, 'spinner/etc/practable')
    await symlink(join(outside, 'video.token'), join(old, 'out.token'))
    await symlink(join(outside, 'video.access'), join(old, 'out.access'))
    await writeFile(join(old, 'closed.token'), 'x')
    await chmod(join(old, 'closed.token'), 0)

    const { isEmpty } = await importFrom(join(directory, 'root'))

    expect(isEmpty).toBe(true)
  })

  test('of any content never give a configuration that the check refuses', { timeout: 120_000 }, async () => {
    const old = join(directory, 'root/etc/practable')
    const units = join(directory, 'root/etc/systemd/system')
    await mkdir(old, { recursive: true })
    await mkdir(units, { recursive: true })
    const name = fc.string({ maxLength: 6 })
    const words = fc.array(
      fc.oneof(
        fc.constantFrom(
          'ffmpeg',
          '-i',
          '/dev/video0',
          '-f v4l2',
          '-codec:v mpeg1video',
          '-b:v 9k',
          '-s 1x1',
          'http://localhost:8888/ts/data',
          'http://localhost:8888/ts/a/b',
          '\n',
          'socat /dev/ttyUSB0 tcp:x:1',
          'websocat ws://localhost:8888/ws/data tcp:1',
          'export SHELLHOST_RELAYSESSION=https://r/shell/x SHELLHOST_TOKEN=a.b.c',
          'SHELLHOST_LOCALPORT=0x99999',
          'shell host',
        ),
        fc.string({ maxLength: 6 }),
      ),
      { maxLength: 16 },
    )
    const post = fc
      .record({
        stream: fc.oneof(name, fc.constantFrom('video', 'stream/a')),
        destination: fc.oneof(name, fc.constant('http://x/session/%20'), fc.webUrl()),
        token: name,
        file: name,
      })
      .map((rule) => `curl localhost:8888/api/destinations -d '${JSON.stringify(rule).replaceAll("'", '')}'`)
    const stream = fc
      .record({ stream: fc.oneof(name, fc.constant('stream/a')), feeds: fc.array(name, { maxLength: 3 }) })
      .map((rule) => `curl localhost:8888/api/streams -d '${JSON.stringify(rule).replaceAll("'", '')}'`)
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            post,
            stream,
            words.map((list) => list.join(' ')),
          ),
          { maxLength: 8 },
        ),
        async (lines) => {
          await writeFile(join(old, 'rules.sh'), lines.join('\n'))
          await writeFile(join(units, 'a.service'), `[Service]\nExecStart=${lines.join('\nExecStart=')}`)
          const { isEmpty } = await importFrom(join(directory, 'root'), { force: true })
          if (isEmpty) return
          readBack()
          await rm(join(directory, 'new'), { recursive: true })
        },
      ),
      { numRuns: 40 },
    )
  })
})
