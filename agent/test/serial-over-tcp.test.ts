import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FakeClock } from '@relay/common/fake-clock'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from './eventually.ts'
import { PtyPair } from './pty-pair.ts'
import { openFiles, runInstrument, type RunInstrumentOptions } from './run-instrument.ts'
import { type ComPortScript, negotiationFlood, ScriptedComPort } from './scripted-com-port.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function start(options: RunInstrumentOptions) {
  const running = runInstrument(options)
  cleanUps.push(running.stop)
  return running
}

async function scripted(script?: ComPortScript): Promise<ScriptedComPort> {
  const port = await ScriptedComPort.open(script)
  cleanUps.push(() => port.close())
  return port
}

/** A server whose connections the test has in its hands. */
async function tcpServer(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  cleanUps.push(close)
  return { port: (server.address() as AddressInfo).port, close, sockets }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** The real ser2net of Debian, before a pty whose board the test plays. */
class Ser2net {
  readonly rawPort: number
  readonly telnetPort: number
  readonly #file: string
  #process: ChildProcess | undefined

  constructor(directory: string, device: string, ports: readonly [number, number]) {
    ;[this.rawPort, this.telnetPort] = ports
    this.#file = join(directory, 'ser2net.yaml')
    const connection = (name: string, accepter: string) =>
      `connection: &${name}\n  accepter: ${accepter}\n  connector: serialdev,${device},9600n81,local\n`
    writeFileSync(
      this.#file,
      connection('raw', `tcp,127.0.0.1,${this.rawPort}`) +
        connection('telnet', `telnet(rfc2217),tcp,127.0.0.1,${this.telnetPort}`),
    )
  }

  async start(): Promise<void> {
    this.#process = spawn('ser2net', ['-n', '-c', this.#file, '-P', `${this.#file}.pid`], { stdio: 'ignore' })
    for (const port of [this.rawPort, this.telnetPort]) await listens(port)
  }

  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    this.#process = undefined
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}

async function listens(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`nothing listens at ${port}`)
}

describe('behind a real ser2net', () => {
  async function served() {
    const directory = mkdtempSync(join(tmpdir(), 'ser2net-'))
    cleanUps.push(() => rmSync(directory, { recursive: true }))
    const cable = new PtyPair(directory)
    cleanUps.push(() => cable.unplug())
    await cable.plug()
    const server = new Ser2net(directory, cable.device, [await freePort(), await freePort()])
    cleanUps.push(() => server.stop())
    await server.start()
    return { cable, server }
  }

  test.each(['tcp', 'rfc2217'] as const)('%s carries every byte both ways', async (kind) => {
    const { cable, server } = await served()
    const port = kind === 'tcp' ? server.rawPort : server.telnetPort
    const every = Buffer.from(Array.from({ length: 512 }, (_zero, index) => index % 256))
    const { command, isOpen, heard, show, instrument } = start({
      device: `${kind}://127.0.0.1:${port}`,
      settings: 'framing: length, lengthBytes: 2, baudRate: 19200',
    })
    await isOpen()

    // ser2net opens the pty only now, for us, and throws away what came before: it speaks when it was spoken to.
    command('a\u00ff\r\u0000\n')
    await eventually(() => cable.received.length === 8, { show })
    cable.say(Buffer.concat([Buffer.of(2, 0), every]))
    await eventually(() => heard.length === 1, { show })

    expect(heard).toEqual([`binary ${every.toString('latin1')}`])
    expect(Buffer.from(cable.received, 'latin1')).toEqual(
      Buffer.concat([Buffer.of(0, 6), Buffer.from('a\u00ff\r\u0000\n')]),
    )
    expect(instrument.status().opened).toBe(`${kind}://127.0.0.1:${port}`)
  })

  test('the line is set as it is configured', async () => {
    const { cable, server } = await served()
    const { isOpen } = start({
      device: `rfc2217://127.0.0.1:${server.telnetPort}`,
      settings: 'baudRate: 57600, stopBits: 2',
    })
    await isOpen()

    const { stdout } = await promisify(execFile)('stty', ['-F', cable.device, '-a'])

    expect(stdout).toMatch(/speed 57600 baud/)
    expect(stdout).toMatch(/ cstopb /)
  })

  test.each(['tcp', 'rfc2217'] as const)('%s is back soon after the server was restarted', async (kind) => {
    const { server } = await served()
    const port = kind === 'tcp' ? server.rawPort : server.telnetPort
    const { isOpen, fails, instrument } = start({ device: `${kind}://127.0.0.1:${port}` })
    await isOpen()

    await server.stop()
    await fails('INSTRUMENT_UNREACHABLE')
    await server.start()
    const startedAtMs = performance.now()
    await isOpen()

    expect(performance.now() - startedAtMs).toBeLessThan(5_000)
    expect(instrument.status().reopens).toBeGreaterThan(1)
  })

  test('a port without a DTR line is told with what to do', async () => {
    const { server } = await served()
    const { fails, instrument } = start({
      device: `rfc2217://127.0.0.1:${server.telnetPort}`,
      settings: 'dtr: pulse',
    })
    await fails('INSTRUMENT_DTR_FAILED')

    expect(instrument.status().fault?.message).toContain('dtr: leave')
  })
})

describe('a server for RFC 2217', () => {
  test('sets the line, pulses DTR and RTS, and is asked for nothing else', async () => {
    const port = await scripted()
    const { isOpen, command } = start({
      device: port.device,
      settings:
        'baudRate: 9600, dataBits: 7, parity: even, stopBits: 2, dtr: pulse, dtrLow: 20ms, settle: 10ms',
    })
    await isOpen()
    command('\u00ff')
    await eventually(() => port.received.length === 3)

    expect(port.requests).toEqual([
      '1:00002580',
      '2:07',
      '3:03',
      '4:02',
      '5:01',
      '10:00',
      '11:00',
      '12:03',
      '5:09',
      '5:0c',
      '5:08',
      '5:0b',
    ])
    expect(port.received).toEqual(Buffer.from('\u00ff\n'))
  })

  test('that sets another baud rate is told with both', async () => {
    const port = await scripted({
      answer: (command, payload) => (command === 1 ? Buffer.of(0, 0, 0x12, 0xc0) : payload),
    })
    const { fails, instrument } = start({ device: port.device, settings: 'baudRate: 9600' })
    await fails('INSTRUMENT_SETTINGS_REFUSED')

    expect(instrument.status().fault?.message).toContain('the baud rate to 4800 where 9600 was asked for')
  })

  test('that does not know it is told with what to write instead', async () => {
    const port = await scripted({ knowsComPort: false })
    const { fails, instrument } = start({ device: port.device })
    await fails('INSTRUMENT_NOT_RFC2217')

    expect(instrument.status().fault?.message).toContain('tcp://')
    expect(port.connections).toBeLessThanOrEqual(1)
  })

  test('that says nothing at all is given up after three seconds', async () => {
    const { port } = await tcpServer(() => undefined)
    const { fails, instrument } = start({ device: `rfc2217://127.0.0.1:${port}` })

    await fails('INSTRUMENT_NOT_RFC2217')
    expect(instrument.status().state).not.toBe('open')
  })

  test('that says stop is not written to until it says go on', async () => {
    const port = await scripted()
    const { isOpen, command, instrument } = start({ device: port.device })
    await isOpen()
    port.tell(108)
    port.say('stopped\n')
    await eventually(() => instrument.status().receivedMessages === 1)

    command('wait')
    port.say('still here\n')
    await eventually(() => instrument.status().receivedMessages === 2)
    expect(port.received.length).toBe(0)
    port.tell(109)

    await eventually(() => port.received.toString() === 'wait\n')
    expect(instrument.status().writtenMessages).toBe(1)
  })

  test('that shows no life any more is left, once it has shown that it could', async () => {
    let isAlive = true
    const port = await scripted({ answersMarks: () => isAlive })
    const clock = new FakeClock()
    const { isOpen, instrument, lines } = start({ device: port.device, clock })
    await isOpen()
    const silence = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        await clock.advance(1_000)
        // The answer comes over a real socket.
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    await silence(60)
    expect(instrument.status()).toMatchObject({ state: 'open', reopens: 0 })

    isAlive = false
    await silence(25)

    expect(lines.some((line) => line.includes('no sign of life'))).toBe(true)
  })

  test('that asks without end is left at once', async () => {
    const { port } = await tcpServer((socket) => {
      socket.pause()
      const flood = negotiationFlood()
      const go = (): void => {
        while (!socket.destroyed && socket.write(flood)) continue
      }
      socket.on('drain', go)
      go()
    })
    const { fails, instrument } = start({ device: `rfc2217://127.0.0.1:${port}` })

    await fails('INSTRUMENT_LOST')
    expect(instrument.status().fault?.message).toContain('asks without end')
  })
})

describe('a server that gives out plain bytes', () => {
  test('that is not there is tried again and told', async () => {
    const device = `tcp://127.0.0.1:${await freePort()}`
    const { fails, instrument } = start({ device })
    await fails('INSTRUMENT_UNREACHABLE')

    expect(instrument.status().fault?.message).toContain(`${device} cannot be reached`)
  })

  test('that hangs up again and again leaves no socket behind', async () => {
    const before = openFiles(/^socket/).length
    const { port, close } = await tcpServer((socket) => void setTimeout(() => socket.destroy(), 5))
    const { stop, instrument } = start({ device: `tcp://127.0.0.1:${port}` })
    await eventually(() => instrument.status().reopens >= 5)
    await stop()
    await close()

    await eventually(() => openFiles(/^socket/).length <= before)
    expect(instrument.status().state).toBe('stopped')
  })

  test('that takes nothing is given up after the deadline', async () => {
    const { port } = await tcpServer((socket) => void socket.pause())
    const clock = new FakeClock()
    const { isOpen, command, lines, instrument } = start({
      device: `tcp://127.0.0.1:${port}`,
      settings: 'writeQueue: 64MiB, maxMessage: 4MiB, framing: raw, baudRate: 12000000',
      clock,
    })
    await isOpen()
    for (let count = 0; count < 30; count++) command('x'.repeat(1_000_000))
    let written = -1
    await eventually(() => {
      const isStill = instrument.status().writtenMessages === written && written > 0
      written = instrument.status().writtenMessages
      return isStill
    })

    await clock.advance(10_000)

    expect(lines.some((line) => line.includes('INSTRUMENT_STUCK'))).toBe(true)
    expect(instrument.status().droppedCommands).toBeGreaterThan(0)
  })
})
