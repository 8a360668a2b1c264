import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Child } from './support/child.ts'

const patient = { timeout: 120_000 }
let target: Server
let targetPort = 0

/** Says something first, as sshd does, then sends everything back; ends when the other side has ended. */
beforeAll(async () => {
  target = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.write('hello\n')
    socket.pipe(socket)
  }).listen(0, 'localhost')
  await once(target, 'listening')
  targetPort = (target.address() as AddressInfo).port
})
afterAll(() => {
  target.close()
})

function start(way: string, more: Readonly<Record<string, string>> = {}): Child {
  const prefix = `JUMP_PIPE_${way.toUpperCase()}`
  return new Child({
    program: 'jump',
    arguments: ['pipe', way],
    environment: {
      [`${prefix}_PORT_LISTEN`]: '0',
      [`${prefix}_PORT_TARGET`]: String(targetPort),
      [`${prefix}_LOG_LEVEL`]: 'info',
      ...more,
    },
  })
}

async function portOf(child: Child): Promise<number> {
  return Number(/"port":(\d+),"target"/.exec(await child.prints(/"port":\d+,"target"/))?.[1])
}

/** Sends `data` over a connection of its own; gives what came back until the other side ended. */
async function echo(port: number, data: Buffer, isHalfClosed: boolean): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const parts: Buffer[] = []
  let got = 0
  socket.on('data', (part: Buffer) => {
    parts.push(part)
    got += part.length
    if (!isHalfClosed && got >= data.length + 6) socket.end()
  })
  socket.write(data)
  if (isHalfClosed) socket.end()
  await once(socket, isHalfClosed ? 'end' : 'close')
  socket.destroy()
  return Buffer.concat(parts)
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

test.each([
  ['copy', true],
  ['develop', true],
  // Old programs carry no half-close.
  ['original', false],
] as const)('pipe %s loses no byte of two connections at once', patient, async (way, isHalfClosed) => {
  await using child = start(way)
  const port = await portOf(child)
  const sent = [randomBytes(4_000_000), randomBytes(3_000_000)]

  const got = await Promise.all(sent.map((data) => echo(port, data, isHalfClosed)))

  expect(got.map(sha256)).toEqual(sent.map((data) => sha256(Buffer.concat([Buffer.from('hello\n'), data]))))
  child.process.kill('SIGINT')
  expect((await child.ended).code).toBe(0)
})

test('a setting of the old program that means nothing here is told', patient, async () => {
  await using child = start('copy', {
    JUMP_PIPE_COPY_LOG_FORMAT: 'text',
    JUMP_PIPE_COPY_LOG_LEVEL: 'warning',
  })

  expect(await child.prints(/"port":\d+|JSON/)).toContain('JUMP_PIPE_COPY_LOG_FORMAT: the log is JSON')
})

test.each([
  ['sideways', {}, 64, /^jump: a way to carry is needed: original, copy, develop\n/],
  ['copy', { JUMP_PIPE_COPY_PORT_TARGET: '0' }, 78, /JUMP_PIPE_COPY_PORT_TARGET: 0 is not a whole number/],
] as const)('pipe %s with %j is refused', patient, async (way, environment, code, says) => {
  await using child = start(way, environment)

  const ended = await child.ended
  expect([ended.code, ended.stdout]).toEqual([code, ''])
  expect(ended.stderr).toMatch(says)
})

test('a port that is taken ends it with 1, as all that bears an old name', patient, async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  await using child = start('develop', { JUMP_PIPE_DEVELOP_PORT_LISTEN: String(port) })

  const ended = await child.ended
  taken.close()
  expect(ended.code).toBe(1)
  expect(ended.stderr).toMatch(/the port that is piped: port \d+ of 127\.0\.0\.1 is in use/)
})
