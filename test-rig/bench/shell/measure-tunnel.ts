import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../src/rig/until.ts'
import { cpuSeconds, residentBytes } from '../process-figures.ts'
import { median } from '../statistics.ts'
import { FarEnd, hopsTo, tunnelTo, type Way } from './tunnel-way.ts'

export interface Flow {
  readonly mbPerSec: number
  /** Of all processes between, for 10^9 bytes. */
  readonly cpuSecPerGb: number
}

export interface TunnelFigures {
  readonly down: { readonly tunnel: Flow; readonly hops: Flow; readonly speed: number; readonly cpu: number }
  readonly up: { readonly tunnel: Flow; readonly hops: Flow; readonly speed: number; readonly cpu: number }
  /** Median time of 64 bytes there and back. */
  readonly roundTrip: { readonly tunnelMs: number; readonly hopsMs: number; readonly ratio: number }
  /** From the TCP connection at the client until the first byte of the far end. */
  readonly setUpMs: { readonly p50: number; readonly p99: number }
  /** Growth of resident memory for each idle session. */
  readonly memory: { readonly clientBytes: number; readonly relayBytes: number; readonly hostBytes: number }
}

export interface TunnelPlan {
  readonly repetitions: number
  readonly measureMs: number
  readonly roundTrips: number
  readonly setUps: number
  readonly sessions: number
}

const warmUpMs = 1_000
/** Before anything is measured, each way: V8 optimizes for the first seconds of a flow at full speed. */
const optimizeMs = 6_000
const settleMs = 3_000
const startWithinMs = 60_000

/** The tunnel beside three plain hops of TCP, in turns, in the same run. */
export async function measureTunnel(plan: TunnelPlan): Promise<TunnelFigures> {
  await using far = await FarEnd.start()
  await using tunnel = await tunnelTo(far.port)
  await using hops = await hopsTo(far.port)
  await until('the tunnel works', () => answers(tunnel), { withinMs: startWithinMs })

  const [down, up] = [
    await compare('d', { tunnel, hops, far }, plan),
    await compare('u', { tunnel, hops, far }, plan),
  ]
  const [tunnelMs, hopsMs]: [number[], number[]] = [[], []]
  for (let repetition = 0; repetition < plan.repetitions; repetition += 1) {
    tunnelMs.push(await roundTripMs(tunnel, plan.roundTrips))
    hopsMs.push(await roundTripMs(hops, plan.roundTrips))
  }
  const ratios = tunnelMs.map((ms, index) => ms / (hopsMs[index] ?? Number.NaN))
  const roundTrip = { tunnelMs: median(tunnelMs), hopsMs: median(hopsMs), ratio: median(ratios) }
  return {
    down,
    up,
    roundTrip,
    setUpMs: await setUps(tunnel, plan.setUps),
    memory: await memory(tunnel, plan.sessions),
  }
}

interface Ways {
  readonly tunnel: Way
  readonly hops: Way
  readonly far: FarEnd
}

async function compare(
  way: 'd' | 'u',
  { tunnel, hops, far }: Ways,
  plan: TunnelPlan,
): Promise<TunnelFigures['down']> {
  for (const each of [tunnel, hops]) await flow(way, each, far, optimizeMs)
  const pairs: { readonly tunnel: Flow; readonly hops: Flow }[] = []
  for (let repetition = 0; repetition < plan.repetitions; repetition += 1) {
    const throughTunnel = await flow(way, tunnel, far, plan.measureMs)
    pairs.push({ tunnel: throughTunnel, hops: await flow(way, hops, far, plan.measureMs) })
  }
  const middle = (of: 'tunnel' | 'hops'): Flow => ({
    mbPerSec: median(pairs.map((pair) => pair[of].mbPerSec)),
    cpuSecPerGb: median(pairs.map((pair) => pair[of].cpuSecPerGb)),
  })
  return {
    tunnel: middle('tunnel'),
    hops: middle('hops'),
    // Medians of pairs that ran one after the other, not ratios of medians.
    speed: median(pairs.map((pair) => pair.tunnel.mbPerSec / pair.hops.mbPerSec)),
    cpu: median(pairs.map((pair) => pair.tunnel.cpuSecPerGb / pair.hops.cpuSecPerGb)),
  }
}

async function flow(way: 'd' | 'u', { port, pids }: Way, far: FarEnd, measureMs: number): Promise<Flow> {
  const socket = await open(port)
  let readBytes = 0
  socket.on('data', (chunk: Buffer) => (readBytes += chunk.length))
  socket.write(way)
  if (way === 'u') pourInto(socket)
  await sleep(warmUpMs)
  const now = (): number => (way === 'd' ? readBytes : far.readBytes)
  const [bytesBefore, cpuBefore, startedAtMs] = [now(), await cpuOf(pids), performance.now()]
  await sleep(measureMs)
  const [bytes, cpu, tookMs] = [
    now() - bytesBefore,
    (await cpuOf(pids)) - cpuBefore,
    performance.now() - startedAtMs,
  ]
  socket.destroy()
  return { mbPerSec: bytes / 1000 / tookMs, cpuSecPerGb: cpu / (bytes / 1e9) }
}

const piece = Buffer.alloc(64 * 1024, 'u')

function pourInto(socket: Socket): void {
  while (socket.writable && socket.write(piece));
  socket.once('drain', () => pourInto(socket))
}

async function roundTripMs({ port }: Way, count: number): Promise<number> {
  const socket = await open(port)
  const message = Buffer.alloc(64, 'e')
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const sentAtMs = performance.now()
    await exchange(socket, message)
    times.push(performance.now() - sentAtMs)
  }
  socket.destroy()
  return median(times)
}

async function exchange(socket: Socket, message: Buffer): Promise<void> {
  const back = Promise.withResolvers<void>()
  let missing = message.length
  const take = (chunk: Buffer): void => {
    missing -= chunk.length
    if (missing <= 0) back.resolve()
  }
  socket.on('data', take).once('close', back.reject)
  socket.write(message)
  await back.promise
  socket.off('data', take).off('close', back.reject)
}

async function setUps(way: Way, count: number): Promise<TunnelFigures['setUpMs']> {
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const startedAtMs = performance.now()
    const socket = await open(way.port)
    await exchange(socket, Buffer.from('e'))
    times.push(performance.now() - startedAtMs)
    socket.end()
    await once(socket.resume(), 'close')
  }
  const sorted = times.toSorted((one, other) => one - other)
  return { p50: median(times), p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN }
}

async function memory({ port, pids }: Way, sessions: number): Promise<TunnelFigures['memory']> {
  const sizes = async (): Promise<readonly number[]> => await Promise.all(pids.map(residentBytes))
  await sleep(settleMs)
  const before = await sizes()
  const sockets: Socket[] = []
  for (let index = 0; index < sessions; index += 1) {
    const socket = await open(port)
    sockets.push(socket)
    await exchange(socket, Buffer.from('e'))
  }
  await sleep(settleMs)
  const after = await sizes()
  for (const socket of sockets) socket.destroy()
  const [clientBytes = 0, relayBytes = 0, hostBytes = 0] = after.map(
    (size, index) => (size - (before[index] ?? 0)) / sessions,
  )
  return { clientBytes, relayBytes, hostBytes }
}

async function answers(way: Way): Promise<boolean> {
  const socket = await open(way.port)
  try {
    await exchange(socket, Buffer.from('e'))
    return true
  } finally {
    socket.destroy()
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: false })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function cpuOf(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(cpuSeconds))
  return all.reduce((sum, one) => sum + one, 0)
}
