import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LocalApiFixture, resultOf, runCommand, startCommand } from './local-api-fixture.ts'

const packetBytes = 188
/** The fleet's own settings of the encoder, with a test picture for the camera. */
const encoder = ['-f', 'mpegts', '-codec:v', 'mpeg1video', '-b:v', '1000k', '-bf', '0']

function testPicture(frames: number): string[] {
  return [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc=size=640x480:rate=24',
    '-frames:v',
    String(frames),
    ...encoder,
  ]
}

/** Packet k of the old host's transcripts. */
function packets(count: number, from = 0): Buffer {
  const bytes = Buffer.alloc(count * packetBytes)
  for (let i = 0; i < count; i += 1) {
    const k = from + i
    for (let j = 0; j < packetBytes; j += 1) {
      bytes[i * packetBytes + j] = [0x47, 1, 0, 0x10 | (k & 15)][j] ?? (k + j) & 255
    }
  }
  return bytes
}

/** One video frame of so many packets, its end marked by stuffing. */
function frame(count: number, mark: number): Buffer {
  const bytes = packets(count, mark)
  bytes[1] = 0x41
  Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0]).copy(bytes, 4)
  bytes.set([0x30, 20, 0], (count - 1) * packetBytes + 3)
  return bytes
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

const uploadHead = (feed: string, method = 'POST'): string =>
  `${method} /ts/${feed} HTTP/1.1\r\nHost: localhost:8888\r\nTransfer-Encoding: chunked\r\n\r\n`

describe('an upload of MPEG-TS', () => {
  test('by the real ffmpeg becomes one binary message per frame, of whole packets, with nothing lost', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'upload-'))
    try {
      // No pause splits a frame, however busy this machine is.
      await using api = await LocalApiFixture.open({ options: { limits: { flushAfterMs: 20_000 } } })
      const video = api.listen('video')

      const uploaded = await runCommand('ffmpeg', [...testPicture(48), `${api.url}/ts/video`])
      const file = join(directory, 'same.ts')
      await runCommand('ffmpeg', [...testPicture(48), file])

      expect(uploaded).toMatchObject({ code: 0, stderr: '' })
      await video.size((await readFile(file)).length)
      expect(video.messages).toHaveLength(48)
      expect(video.messages.every(({ binary }) => binary)).toBe(true)
      expect(video.messages.every(({ data }) => data[0] === 0x47 && data.length % packetBytes === 0)).toBe(
        true,
      )
      expect(video.bytes.equals(await readFile(file))).toBe(true)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('brings each frame while it goes on, not when the next one comes', async () => {
    await using api = await LocalApiFixture.open({ options: { limits: { flushAfterMs: 20_000 } } })
    const video = api.listen('video')
    const connection = await api.connect()
    connection.socket.write(uploadHead('video'))
    for (let i = 0; i < 5; i += 1) {
      connection.socket.write(chunk(frame(8, i)))
      await video.count(i + 1)
      expect(video.messages[i]?.data.equals(frame(8, i))).toBe(true)
    }
  })

  test('without any sign of frames goes on after each pause', async () => {
    await using api = await LocalApiFixture.open()
    const video = api.listen('video')
    const connection = await api.connect()
    connection.socket.write(uploadHead('video'))
    let sent = 0
    for (const count of [1, 10, 106, 500]) {
      connection.socket.write(chunk(packets(count, sent)))
      sent += count
      await video.size(sent * packetBytes)
    }
    expect(video.messages.every(({ data }) => data.length % packetBytes === 0)).toBe(true)
    expect(video.bytes.equals(packets(617))).toBe(true)
  })

  test('of more than 1 024 000 bytes at once arrives whole', async () => {
    await using api = await LocalApiFixture.open()
    const video = api.listen('video')
    const connection = await api.connect()
    connection.socket.write(uploadHead('video'))
    connection.socket.write(chunk(packets(6_400)))
    await video.size(6_400 * packetBytes)
    connection.socket.write(chunk(packets(7, 6_400)))
    await video.size(6_407 * packetBytes)
    expect(video.bytes.equals(packets(6_407))).toBe(true)
  })

  test.each(['POST', 'PUT', 'GET'])('by %s is answered with 200 when it ends', async (method) => {
    await using api = await LocalApiFixture.open()
    const video = api.listen('video')
    const connection = await api.connect()
    connection.socket.write(uploadHead('video', method))
    connection.socket.write(chunk(packets(3)))
    connection.socket.write('0\r\n\r\n')
    await connection.contains('HTTP/1.1 200 OK')
    expect(video.bytes.equals(packets(3))).toBe(true)
    expect(api.api.status.uploads).toHaveLength(0)
  })

  test('of a known length, by the real curl, is answered too', async () => {
    await using api = await LocalApiFixture.open()
    const video = api.listen('video')
    const { stdout } = await runCommand(
      'curl',
      ['-s', '-w', '%{http_code}', '--data-binary', '@-', `${api.url}/ts/video`],
      'x'.repeat(5_000),
    )
    expect(stdout).toBe('200')
    expect(video.bytes.toString()).toBe('x'.repeat(5_000))
  })

  test('that is cut off leaves nothing behind, and the next one is received', async () => {
    await using api = await LocalApiFixture.open()
    const video = api.listen('video')
    for (let i = 0; i < 20; i += 1) {
      const connection = await api.connect()
      connection.socket.write(uploadHead('video'))
      connection.socket.write(chunk(frame(8, i)))
      await video.count(i + 1)
      connection.socket.resetAndDestroy()
      await expect.poll(() => api.api.status.uploads.length, { timeout: 20_000 }).toBe(0)
    }
    await expect.poll(() => api.api.status.connections, { timeout: 20_000 }).toBe(0)
  })

  test('of an ffmpeg that is killed leaves nothing behind', async () => {
    await using api = await LocalApiFixture.open()
    const video = api.listen('video')
    const child = startCommand('ffmpeg', ['-re', ...testPicture(100_000), `${api.url}/ts/video`])
    const ended = resultOf(child)
    try {
      await video.count(5)
    } finally {
      child.kill('SIGKILL')
    }
    await ended
    await expect
      .poll(() => api.api.status, { timeout: 20_000 })
      .toMatchObject({ uploads: [], connections: 0 })
  })
})

test('several uploads to one feed are interleaved by whole frames, never inside of one', async () => {
  await using api = await LocalApiFixture.open({ options: { limits: { flushAfterMs: 20_000 } } })
  const video = api.listen('video')
  const connections = [await api.connect(), await api.connect(), await api.connect()]
  for (const connection of connections) connection.socket.write(uploadHead('video'))
  const frames = connections.map((_, i) => frame(9 + i, i))
  for (const part of [0, 1, 2]) {
    for (const [i, { socket }] of connections.entries()) {
      const whole = frames[i] ?? Buffer.alloc(0)
      const third = Math.ceil(whole.length / 3)
      await new Promise((resolve) =>
        socket.write(chunk(whole.subarray(part * third, (part + 1) * third)), resolve),
      )
    }
  }
  await video.count(3)
  const received = video.messages.map(({ data }) => data.toString('hex')).sort()
  expect(received).toEqual(frames.map((data) => data.toString('hex')).sort())
})

test('what is no MPEG-TS is passed on as it comes', async () => {
  await using api = await LocalApiFixture.open()
  const notes = api.listen('notes')
  const connection = await api.connect()
  connection.socket.write(uploadHead('notes'))
  connection.socket.write(chunk(Buffer.from('{"angle":1}\n')))
  await notes.count(1)
  connection.socket.write(chunk(Buffer.from('{"angle":2}\n')))
  await notes.count(2)
  expect(notes.messages.map(({ data }) => data.toString())).toEqual(['{"angle":1}\n', '{"angle":2}\n'])
})

test('an upload to a stream is refused, as a stream is a list of feeds', async () => {
  await using api = await LocalApiFixture.open()
  const reply = await api.raw(`${uploadHead('stream/front')}0\r\n\r\n`)
  expect(reply).toContain('HTTP/1.1 400')
  expect(reply).toContain('upload to one of its feeds')
})

test('uploads beyond the limit are refused, and rules can be posted all the same', async () => {
  await using api = await LocalApiFixture.open({ options: { limits: { maxUploads: 2 } } })
  for (const feed of ['a', 'b']) {
    const connection = await api.connect()
    connection.socket.write(uploadHead(feed))
  }
  await expect.poll(() => api.api.status.uploads.length, { timeout: 20_000 }).toBe(2)
  expect(await api.raw(uploadHead('c'))).toContain('there are 2 uploads already')
  const { stdout } = await runCommand('curl', ['-s', `${api.url}/healthcheck`])
  expect(stdout).toBe('"ok"\n')
})

test('an endless upload to a wrong path is told so and cut, so that ffmpeg does not send into the void', async () => {
  await using api = await LocalApiFixture.open()
  const { code } = await runCommand('ffmpeg', ['-re', ...testPicture(2_400), `${api.url}/tss/video`])
  expect(code).not.toBe(0)
  await expect.poll(() => api.api.status.connections, { timeout: 20_000 }).toBe(0)
})
