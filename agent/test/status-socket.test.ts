import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchStatus } from '../src/health/fetch-status.ts'
import { StatusSocket } from '../src/health/status-socket.ts'
import { AgentWorkbench } from './agent-workbench.ts'

const answers = {
  '/status': () => ({ status: 200, contentType: 'application/json', body: '{"format":1}\n' }),
}
const isRoot = process.getuid?.() === 0
const never = new AbortController().signal

let bench: AgentWorkbench
let path: string
beforeEach(() => {
  bench = new AgentWorkbench()
  path = bench.file('status.sock')
})
afterEach(() => bench.tidyUp())

async function open(at = path): Promise<StatusSocket> {
  const socket = await StatusSocket.open(at, answers)
  bench.later(() => socket.close())
  return socket
}

/** What `relay-agent status` would say. */
async function asked(socket = path, port = 0): Promise<unknown> {
  return await fetchStatus({ socket, metrics: { host: '127.0.0.1', port } }, never).then(
    () => 'answered',
    (error: { readonly code?: unknown }) => error.code,
  )
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(path, resolve))
  bench.later(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
}

describe('the socket', () => {
  test('is for its owner and its group, leaves no draft behind, and goes when it is closed', async () => {
    const socket = await open()

    expect(statSync(path).mode & 0o777).toBe(0o660)
    expect(readdirSync(bench.directory)).toEqual(['status.sock'])
    expect(socket.isInPlace).toBe(true)
    await socket.close()
    expect(existsSync(path)).toBe(false)
    expect(socket.isInPlace).toBe(false)
  })

  test('of many agents that start at once exactly one gets the name, also over a stale file', async () => {
    const child = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen('${path}', () => process.kill(process.pid, 9))`,
    ])
    await once(child, 'exit')
    expect(statSync(path).isSocket()).toBe(true)

    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => open()))

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const reasons = outcomes.map((outcome): unknown =>
      outcome.status === 'rejected' ? outcome.reason : undefined,
    )
    for (const reason of reasons.filter((one) => one !== undefined))
      expect(reason).toMatchObject({ code: 'STATUS_SOCKET_IN_USE' })
    expect(await asked()).toBe('AGENT_ANSWER_WRONG')
  })

  test('of a running agent is never taken', async () => {
    const first = await open()

    await expect(open()).rejects.toMatchObject({ code: 'STATUS_SOCKET_IN_USE' })
    expect(first.isInPlace).toBe(true)
    expect(readdirSync(bench.directory)).toEqual(['status.sock'])
  })

  test('removes nothing that took its name when it is closed', async () => {
    const first = await open()
    rmSync(path)
    expect(first.isInPlace).toBe(false)
    const second = await open()
    await first.close()

    expect(second.isInPlace).toBe(true)
  })

  test('says what is wrong with its place', async () => {
    writeFileSync(bench.file('file'), 'precious')

    await expect(open(bench.file('file'))).rejects.toMatchObject({ code: 'STATUS_SOCKET_OCCUPIED' })
    await expect(open(bench.file('none/s'))).rejects.toMatchObject({ code: 'STATUS_SOCKET_NO_DIRECTORY' })
    await expect(open(bench.file('file/s'))).rejects.toMatchObject({ code: 'STATUS_SOCKET_NO_DIRECTORY' })
    await expect(open('/proc/status.sock')).rejects.toMatchObject({
      message: expect.stringContaining('/proc/') as string,
    })
    expect(statSync(bench.file('file')).size).toBe(8)
  })

  test('answers others while some say nothing, nonsense or for ever', async () => {
    await open()
    for (const text of [
      '',
      'GET /status HT',
      '\u0000\u0001\r\n\r\n',
      `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}`,
    ]) {
      const socket = connect(path)
      socket.on('error', () => undefined)
      socket.write(text)
      bench.later(() => void socket.destroy())
    }

    expect(await asked()).toBe('AGENT_ANSWER_WRONG')
  })
})

describe('who asks for the status hears in one sentence', () => {
  test('that nobody is there', async () => {
    expect(await asked(bench.file('none'))).toBe('AGENT_NOT_RUNNING')
    expect(await asked('')).toBe('STATUS_OFF')
  })

  test('that what answers is no agent', async () => {
    for (const body of [
      '',
      'null',
      '[]',
      '"x"',
      '{"format":1}',
      '{"format":1,"health":{"live":{}}}',
      '<html>',
    ]) {
      const server = createServer((_request, response) => response.end(body))
      await listen(server)
      expect(await asked()).toBe('AGENT_ANSWER_WRONG')
      await new Promise((resolve) => server.close(resolve))
    }
  })

  test('that an answer without end is given up', async () => {
    await listen(
      createServer((_request, response) => {
        const more = (): void => void response.write('x'.repeat(65_536), () => setImmediate(more))
        more()
        response.on('close', () => response.destroy())
      }),
    )

    expect(await asked()).toBe('AGENT_UNREACHABLE')
  })

  test('that an agent hangs', async () => {
    const silent = createTcpServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(path, resolve))
    bench.later(() => void silent.close())

    expect(await asked()).toBe('AGENT_SILENT')
  })

  // Only root can become somebody else.
  test.skipIf(!isRoot)(
    `that the permission is missing, and what to do${isRoot ? '' : ' (skipped: it needs root)'}`,
    async () => {
      await open()
      chmodSync(bench.directory, 0o755)
      const launcher = fileURLToPath(new URL('../bin/relay-agent.mjs', import.meta.url))
      const child = spawn(process.execPath, [launcher, 'status', '--status-socket', path], {
        uid: 65_534,
        gid: 65_534,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.on('data', (data: Buffer) => (said += data.toString()))
      const [code] = (await once(child, 'close')) as [number]

      expect(code).toBe(69)
      expect(said).toContain(
        `relay-agent: you may not ask at ${path}; use sudo, or become a member of the group`,
      )
    },
  )
})
