import { once } from 'node:events'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { openRawTty } from '../src/instrument/raw-tty.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { PtyPair } from '../src/pty/pty-pair.ts'
import { until } from '../src/rig/until.ts'

type Message = Readonly<Record<string, unknown>>

const main = join(import.meta.dirname, '..', 'src', 'instrument', 'main.ts')
const started: ChildProcessWithoutNullStreams[] = []

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

function start(...args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [main, ...args])
  child.stdin.on('error', () => undefined)
  started.push(child)
  return child
}

/** What comes as lines of JSON; a line that is none fails the test that looks. */
function messagesOf(stream: Readable): () => readonly Message[] {
  let text = ''
  stream.on('data', (bytes: Buffer) => {
    text += bytes.toString('utf8')
  })
  return () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Message)
}

function textOf(stream: Readable): () => string {
  let text = ''
  stream.on('data', (bytes: Buffer) => {
    text += bytes.toString('utf8')
  })
  return () => text
}

/** What a process has written so far, as the kernel counts it. */
function bytesWritten(pid = 0): number {
  return Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

/** A probe that is true once a number was the same four times in a row. */
function stagnation(read: () => number): () => boolean {
  const seen: number[] = []
  return () => {
    seen.unshift(read())
    return seen.length >= 4 && new Set(seen.slice(0, 4)).size === 1
  }
}

async function exitOf(child: ChildProcessWithoutNullStreams): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? signal
}

describe('on stdin and stdout', () => {
  test('it sends data and carries out commands', async () => {
    const child = start('--kind', 'motor', '--rate', '50', '--noise', '0')
    const messages = messagesOf(child.stdout)
    await until('data', () => messages().length > 3)

    child.stdin.write('{"cmd":"ping","id":1}\n{"cmd":"set","param":"target","value":5}\n')
    await until('the pong', () => messages().some((message) => message['pong'] === 1))
    const there = await until('the motor at its target', () =>
      messages().find((message) => Math.abs(Number(message['position']) - 5) < 0.1),
    )

    expect(there).toMatchObject({ target: 5, running: true })
  })

  test('binary rubbish gets errors in whole lines and harms nothing', async () => {
    const child = start('--rate', '20')
    const messages = messagesOf(child.stdout)

    child.stdin.write(Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 256)))
    child.stdin.write(`\n${'['.repeat(400)}\n${'9'.repeat(5000)}\n{"cmd":"ping","id":"after"}\n`)
    await until('the pong', () => messages().some((message) => message['pong'] === 'after'))
    const before = messages().length
    await until('more data', () => messages().length > before + 2)

    expect(messages().filter((message) => 'error' in message).length).toBeGreaterThan(3)
  })

  test('a reader that stops does not stop it, and lines are dropped whole', async () => {
    const child = start('--rate', '200')
    const messages = messagesOf(child.stdout)
    await until('data', () => messages().length > 3)
    child.stdout.pause()

    // 64 KiB in the program and what two pipes hold: a few thousand pings fill them for sure.
    for (let id = 0; id < 40_000; id += 1) child.stdin.write(`{"cmd":"ping","id":${id}}\n`)
    await until('all commands taken', () => child.stdin.writableLength === 0)
    child.stdout.resume()
    const described = await until('a description', () => {
      child.stdin.write('{"cmd":"describe"}\n')
      return messages().find((message) => message['report'] === 'describe')
    })

    expect(described['dropped']).toBeGreaterThan(0)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with exit code 0', async (signal) => {
    const child = start()
    await once(child.stdout, 'data')

    child.kill(signal)

    expect(await exitOf(child)).toBe(0)
  })

  test('the end of stdin ends it', async () => {
    const child = start()
    await once(child.stdout, 'data')

    child.stdin.end()

    expect(await exitOf(child)).toBe(0)
  })
})

describe('on a tty', () => {
  test('it answers through a real pty, byte for byte', async () => {
    await using cable = await PtyPair.create()
    start('--tty', cable.devicePath, '--rate', '50')
    using host = await openRawTty(cable.hostPath)
    const text = textOf(host.stream)
    await until('data', () => text().includes('"angle"'))

    host.stream.write('{"cmd":"ping","id":5}\r\n')
    await until('the pong', () => text().includes('{"pong":5}\n'))

    expect(text()).not.toContain('\r')
    expect(text()).not.toContain('"cmd"')
  })

  test('a tty that echoes and translates is made raw', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'relay-cooked-'))
    const [device, host] = [join(directory, 'device'), join(directory, 'host')]
    await using socat = await OwnedProcess.start({
      name: 'socat',
      command: 'socat',
      args: [`pty,link=${device}`, `pty,rawer,link=${host}`],
    })
    await until('both ends', () => socat.isAlive && existsSync(device) && existsSync(host))
    const child = start('--tty', device)
    const said = textOf(child.stderr)
    await until('it speaks', () => said().includes('speaking on'))
    using hostTty = await openRawTty(host)
    const text = textOf(hostTty.stream)

    hostTty.stream.write('{"cmd":"ping","id":6}\n')
    await until('the pong', () => text().includes('{"pong":6}\n'))
    await rm(directory, { recursive: true })

    expect(text()).not.toContain('\r')
    expect(text()).not.toContain('"cmd"')
  })

  test('after the cable was pulled it comes back by itself', async () => {
    await using cable = await PtyPair.create()
    const child = start('--tty', cable.devicePath)
    const said = textOf(child.stderr)
    await until('the first opening', () => said().includes('speaking on'))

    for (let pulls = 1; pulls <= 2; pulls += 1) {
      await cable.pull()
      await until('the hangup is noticed', () => said().split('hung up').length > pulls)
      await cable.plug()
      using host = await openRawTty(cable.hostPath)
      const messages = textOf(host.stream)
      await until('data again', () => messages().includes('"running":true'))
    }

    expect(child.exitCode).toBeNull()
  })

  test('nobody reading the other end blocks neither it nor its end by SIGTERM', async () => {
    await using cable = await PtyPair.create()
    using host = await openRawTty(cable.hostPath)
    const child = start('--tty', cable.devicePath, '--rate', '200')
    const said = textOf(child.stderr)
    await until('it speaks', () => said().includes('speaking on'))
    const messages = textOf(host.stream)
    await until('data', () => messages().length > 0)
    host.stream.pause()
    await until(
      'nothing more fits into the ptys',
      stagnation(() => bytesWritten(child.pid)),
      { everyMs: 300 },
    )

    host.stream.resume()
    const dropped = await until('a description with drops', () => {
      host.stream.write('{"cmd":"describe"}\n')
      return /"dropped":([1-9]\d*)/.exec(messages())?.[1]
    })
    child.kill('SIGTERM')

    expect(Number(dropped)).toBeGreaterThan(0)
    expect(await exitOf(child)).toBe(0)
  })

  test('a path that is no serial port is named, once, and it keeps waiting', async () => {
    const child = start('--tty', '/dev/null')
    const said = textOf(child.stderr)

    await until('the sentence', () => said().includes('\n'))
    child.kill('SIGTERM')

    expect(await exitOf(child)).toBe(0)
    expect(said()).toMatch(/^instrument: waiting: \/dev\/null cannot be used as a serial port: .*\n$/)
  })
})

describe('a wrong command line', () => {
  test.each([
    [['--kind', 'rocket'], /kind/],
    [['--rate', '0'], /--rate must be a number from 0.1 to 200/],
    [['--rate', 'fast'], /--rate must be a number from 0.1 to 200/],
    [['--noise', '-1'], /--noise must be a number from 0 to 100/],
    [['--delay-ms', '1e9'], /--delay-ms must be a number from 0 to 1000/],
    [['--tty', ''], /--tty must name a serial port/],
    [['--colour', 'red'], /colour/],
    [['extra'], /extra/],
  ])('%j is refused in one sentence with exit code 64', async (args, sentence) => {
    const child = start(...args)
    const said = textOf(child.stderr)

    expect(await exitOf(child)).toBe(64)
    expect(said()).toMatch(sentence)
    expect(
      said()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('See ')),
    ).toHaveLength(1)
  })
})
