import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { listen } from '@relay/common/listen'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Cell, type Run, summarise, videoLoad } from '../bench/fan-out.ts'
import { measureIdleMemory } from '../bench/idle-memory.ts'
import { type FanOutFigures, runFanOut, runSetUps } from '../bench/load.ts'
import { NativePrograms } from '../bench/native-programs.ts'
import { RawServer } from '../bench/raw-server.ts'
import { measureTunnel } from '../bench/shell/measure-tunnel.ts'
import { judgeShell, type ShellFigures, shellTable } from '../bench/shell/shell-report.ts'
import { median, shuffled } from '../bench/statistics.ts'
import { peakPerSec } from '../bench/fleet-return.ts'
import { judgeTargets } from '../bench/targets.ts'
import { textTable } from '../bench/text-table.ts'

let native: NativePrograms

beforeAll(async () => {
  native = await NativePrograms.compile()
})

afterAll(async () => {
  await native[Symbol.asyncDispose]()
})

const short = { 'warm-ms': 100, 'measure-ms': 300 }

/** How a test server passes one message on. */
type Pass = (to: WebSocket, message: Buffer, index: number) => void

interface PlainServer extends AsyncDisposable {
  readonly port: number
}

/** A plain websocket fan-out in this process: whoever asks for `/publish` speaks, the others hear. */
async function plainServer(pass: Pass): Promise<PlainServer> {
  const http = createServer()
  const server = new WebSocketServer({ server: http, perMessageDeflate: false })
  const viewers = new Set<WebSocket>()
  let index = 0
  server.on('connection', (socket, request) => {
    socket.on('error', () => undefined)
    if (request.url !== '/publish') {
      viewers.add(socket)
      socket.ping('are you there?')
      return
    }
    socket.on('message', (message: Buffer) => {
      for (const viewer of viewers) pass(viewer, message, index)
      index += 1
    })
  })
  const port = await listen(http, { port: 0, host: '127.0.0.1', what: 'a test' })
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const client of server.clients) client.terminate()
      server.close()
      http.close()
      await once(http, 'close')
    },
  }
}

async function loadPlain(pass: Pass, options: Readonly<Record<string, number>> = {}): Promise<FanOutFigures> {
  await using server = await plainServer(pass)
  const paths = ['/publish', ...Array.from({ length: 5 }, () => '/view')]
  const all = {
    proto: 'ws',
    port: server.port,
    viewers: 5,
    pid: process.pid,
    size: 1316,
    ...short,
    ...options,
  }
  return await runFanOut(native.load, all, paths)
}

describe('the C programs', () => {
  test('compile without a warning', () => {
    expect(native.warnings).toBe('')
  })

  test('the raw fan-out delivers every message to every viewer in order', async () => {
    await using server = await RawServer.start(native.rawfan)
    const options = { proto: 'raw', port: server.port, pid: server.pid, viewers: 20, size: 16_384, ...short }

    const figures = await runFanOut(native.load, options, [])

    expect(figures).toMatchObject({ lost: 0, gaps: 0, closed: 0 })
    expect(figures.deliveredBytes).toBeGreaterThan(1_000_000)
    expect(figures.serverCpuS).toBeGreaterThan(0)
  })

  test('bursts come at their rate', async () => {
    await using server = await RawServer.start(native.rawfan)
    const bursts = { burst: 8, 'bursts-per-s': 25, 'warm-ms': 100, 'measure-ms': 1000 }
    const options = { proto: 'raw', port: server.port, pid: server.pid, viewers: 3, size: 1316, ...bursts }

    const figures = await runFanOut(native.load, options, [])

    expect(figures.publishedMessages / figures.seconds).toBeGreaterThan(150)
    expect(figures.publishedMessages / figures.seconds).toBeLessThan(250)
    expect(figures.p50Ms).toBeGreaterThan(0)
    expect(figures.p99Ms).toBeGreaterThanOrEqual(figures.p50Ms)
  })

  test('a plain websocket server is measured as losing nothing', async () => {
    const figures = await loadPlain((viewer, message) => viewer.send(message))

    expect(figures).toMatchObject({ lost: 0, gaps: 0, closed: 0 })
    expect(figures.deliveredBytes % 1316).toBe(0)
    expect(figures.deliveredBytes).toBeGreaterThan(0)
  })

  test.each([100, 1316, 70_000])(
    'messages of %i bytes in fragments and frames of every width are read',
    async (size) => {
      const inPieces: Pass = (viewer, message) => {
        const half = message.length >> 1
        viewer.send(message.subarray(0, half), { fin: false, binary: true })
        viewer.ping('between')
        viewer.send(message.subarray(half), { fin: true })
      }

      const figures = await loadPlain(inPieces, { size })

      expect(figures).toMatchObject({ lost: 0, gaps: 0, closed: 0 })
      expect(figures.deliveredBytes).toBeGreaterThan(0)
    },
  )

  test.each<[string, Pass, Partial<FanOutFigures>]>([
    ['a message that is lost', (viewer, message, i) => void (i % 50 !== 7 && viewer.send(message)), {}],
    [
      'a message that comes twice',
      (viewer, message, i) => (i === 7 ? sendTwice(viewer, message) : viewer.send(message)),
      {},
    ],
    [
      'a message cut short',
      (viewer, message, i) => viewer.send(i === 7 ? message.subarray(0, 10) : message),
      {},
    ],
  ])(
    '%s is noticed',
    async (_what, pass) => {
      const figures = await loadPlain(pass, { burst: 10, 'bursts-per-s': 50 })

      expect(figures.gaps).toBeGreaterThan(0)
    },
    40_000,
  )

  test('a viewer that is thrown out is noticed', async () => {
    const figures = await loadPlain(
      (viewer, message, i) => (i === 20 ? viewer.terminate() : viewer.send(message)),
      {
        burst: 1,
        'bursts-per-s': 100,
      },
    )

    expect(figures.closed).toBe(5)
  })

  test('a server that refuses is named, and so is a wrong option', async () => {
    await expect(runFanOut(native.load, { proto: 'raw', port: 1, viewers: 1 }, [])).rejects.toThrow(
      /refuses the publisher/,
    )
    await expect(runFanOut(native.load, { proto: 'raw', port: 'x' }, [])).rejects.toThrow(
      /port must be a number from 1 to 65535, not "x"/,
    )
    await expect(runFanOut(native.load, { proto: 'ws', port: 1 }, ['/publish'])).rejects.toThrow(
      /refuses the publisher/,
    )
  })

  test('the raw fan-out outlives rubbish from its clients', async () => {
    await using server = await RawServer.start(native.rawfan)
    const rubbish = [
      randomBytes(50_000),
      Buffer.concat([Buffer.from('P'), Buffer.alloc(8, 0xff)]),
      Buffer.from('x'),
      Buffer.alloc(0),
    ]
    for (const bytes of rubbish) {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.resume().end(bytes)
      await new Promise((resolve) => socket.on('close', resolve))
    }

    const options = { proto: 'raw', port: server.port, pid: server.pid, viewers: 2, size: 1024, ...short }
    expect(await runFanOut(native.load, options, [])).toMatchObject({ lost: 0, gaps: 0, closed: 0 })
  })

  test('connections are set up and counted', async () => {
    await using server = await RawServer.start(native.rawfan)
    const options = { proto: 'raw', port: server.port, pid: server.pid, parallel: 4, 'measure-ms': 200 }

    const figures = await runSetUps(native.load, options, [])

    expect(figures.setUps).toBeGreaterThan(10)
    expect(figures.refused).toBe(0)
  })

  test('idle connections are held and their memory is measured', async () => {
    const idle = await measureIdleMemory(await RawServer.start(native.rawfan), native.load)

    expect(idle.connections).toBe(2000)
    expect(idle.bytesPerConnection).toBeGreaterThanOrEqual(0)
    expect(idle.bytesPerConnection).toBeLessThan(4096)
  })
})

describe('the arithmetic', () => {
  test.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('the median of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle)
  })

  test('shuffling keeps every value', () => {
    expect(shuffled([1, 2, 3, 4, 5], () => 0.3).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5])
    expect(shuffled([1, 2, 3, 4, 5], () => 0)).not.toEqual([1, 2, 3, 4, 5])
  })

  const cell: Cell = { load: videoLoad, viewers: 100 }
  const run = (server: Run['server'], repetition: number, serverCpuS: number, lost = 0): Run => ({
    cell,
    server,
    repetition,
    figures: {
      seconds: 2,
      publishedMessages: 10,
      deliveredBytes: 1e9,
      serverCpuS,
      loadCpuS: 1,
      p50Ms: 2,
      p99Ms: 4,
      maxMs: 5,
      lost,
      gaps: 0,
      closed: 0,
    },
  })

  test('a ratio is the median of pairs that ran together, not the ratio of medians', () => {
    const runs = [
      run('relay', 0, 1),
      run('raw', 0, 1),
      run('relay', 1, 20),
      run('raw', 1, 10),
      run('relay', 2, 9),
      run('raw', 2, 3),
    ]

    const result = summarise(cell, runs)

    expect(result.ratio.cpu).toBe(2)
    expect(result.relay.cpuSecPerGb).toBe(9)
    expect(result.raw.cpuSecPerGb).toBe(3)
    expect(result.relay.mbPerSec).toBe(500)
  })

  test('a target is met or not by what was measured, and a loss is told', () => {
    const delay = { p50Ms: 1, p99Ms: 3, directP50Ms: 0.1, directP99Ms: 0.5, lines: 1_000 }
    const fleet = {
      how: 'restart' as const,
      devices: 200,
      backDevices: 200,
      firstMs: 1_000,
      lastMs: 15_000,
      peakDevicesPerSec: 40,
      peakLinksPerSec: 60,
      awayMs: 800,
    }
    const bad = judgeTargets({
      fanOut: [summarise(cell, [run('relay', 0, 21, 3), run('raw', 0, 10)])],
      idle: { relay: { connections: 2000, baseBytes: 1, bytesPerConnection: 20 * 1024 + 1 } },
      agent: {
        residentBytes: 71e6,
        cpuOfOneCore: 0.03,
        encoderCpuOfOneCore: 1,
        videoBitsPerSec: 1e6,
        linesPerSec: 100,
        seconds: 1,
      },
      appliance: {
        start: { readyMs: 1_500 },
        delay: { ...delay, addedP99Ms: 3 },
        unplug: { pluggedToDataMs: 2_000 },
      },
      fleet: [
        { ...fleet, devices: 1, backDevices: 1, lastMs: 5_000, peakDevicesPerSec: 1 },
        { ...fleet, backDevices: 199 },
        { ...fleet, peakDevicesPerSec: 41 },
      ],
    })
    const good = judgeTargets({
      fanOut: [summarise(cell, [run('relay', 0, 20), run('raw', 0, 10)])],
      idle: { relay: { connections: 2000, baseBytes: 1, bytesPerConnection: 20 * 1024 } },
      agent: {
        residentBytes: 70e6,
        cpuOfOneCore: 0.0299,
        encoderCpuOfOneCore: 1,
        videoBitsPerSec: 1e6,
        linesPerSec: 100,
        seconds: 1,
      },
      appliance: {
        start: { readyMs: 1_499 },
        delay: { ...delay, addedP99Ms: 2.99 },
        unplug: { pluggedToDataMs: 1_999 },
      },
      fleet: [{ ...fleet, devices: 1, backDevices: 1, lastMs: 4_999, peakDevicesPerSec: 1 }, fleet],
    })

    expect(bad.map(({ isMet }) => isMet)).toEqual(Array.from({ length: 11 }, () => false))
    expect(good.map(({ isMet }) => isMet)).toEqual(Array.from({ length: 10 }, () => true))
    expect(bad[1]?.figures).toBe('3 messages, must be 0')
    expect(
      judgeTargets({ fanOut: [], idle: undefined, agent: undefined, appliance: undefined, fleet: [] }),
    ).toEqual([])
  })

  test('a table is aligned', () => {
    expect(
      textTable(
        ['a', 'b'],
        [
          ['long', '1'],
          ['x', '100'],
        ],
      ),
    ).toBe('a       b\nlong    1\nx     100')
  })
})

test('a wrong argument is refused in one sentence with exit code 64', async () => {
  const main = join(import.meta.dirname, '..', 'bench', 'main.ts')

  for (const [args, sentence] of [
    [['--only', 'nothing'], /--only/],
    [['--repetitions', '0'], /--repetitions must be a number from 1 to 100/],
    [['--fast'], /fast/],
  ] as const) {
    const failed = await promisify(execFile)(process.execPath, [main, ...args]).then(
      () => undefined,
      (error: unknown) => error as { readonly code: number; readonly stderr: string },
    )
    expect(failed?.code).toBe(64)
    expect(failed?.stderr).toMatch(sentence)
  }
})

function sendTwice(viewer: WebSocket, message: Buffer): void {
  viewer.send(message)
  viewer.send(message)
}

test('a peak is the most that any span of one second holds', () => {
  expect(peakPerSec([])).toBe(0)
  expect(peakPerSec([0, 500, 999, 1_000, 1_400, 3_000])).toBe(4)
})

describe('the shell', () => {
  const flow = { mbPerSec: 300, cpuSecPerGb: 4 }
  const both = { tunnel: flow, hops: flow }

  test('a target is met or not by what was measured', () => {
    const figures = (speed: number, cpu: number, ratio: number): ShellFigures => ({
      tunnel: {
        down: { ...both, speed, cpu },
        up: { ...both, speed, cpu },
        roundTrip: { tunnelMs: 1, hopsMs: 1, ratio },
        setUpMs: { p50: 1, p99: 2 },
        memory: { clientBytes: 1, relayBytes: 1, hostBytes: 1 },
      },
      scp: { bytes: 1e6, tunnelMbPerSec: 1, directMbPerSec: 1, ratio: 1 },
    })

    expect(judgeShell(figures(0.85, 1.3, 1.4)).map(({ isMet }) => isMet)).not.toContain(false)
    expect(judgeShell(figures(0.84, 1.31, 1.41)).map(({ isMet }) => isMet)).not.toContain(true)
  })

  test('is measured beside plain TCP', async () => {
    const plan = { repetitions: 1, measureMs: 300, roundTrips: 50, setUps: 5, sessions: 5 }

    const figures = await measureTunnel(plan)

    for (const { tunnel, hops } of [figures.down, figures.up])
      for (const { mbPerSec, cpuSecPerGb } of [tunnel, hops])
        expect(Math.min(mbPerSec, cpuSecPerGb)).toBeGreaterThan(0)
    expect(figures.roundTrip.ratio).toBeGreaterThan(0)
    expect(figures.setUpMs.p99).toBeGreaterThan(0)
    expect(
      shellTable({ tunnel: figures, scp: { bytes: 1, tunnelMbPerSec: 1, directMbPerSec: 1, ratio: 1 } }),
    ).toContain('three TCP hops')
  })
})
