import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@relay/common/errors'
import { exchangeToken } from '@relay/common/exchange-token'
import { WebSocket } from 'ws'
import { stringify } from 'yaml'
import { childEnvironment } from '../src/lab/child-environment.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { cpuSeconds, residentBytes } from './process-figures.ts'
import type { RelayServer } from './relay-server.ts'

export interface AgentCost {
  /** Of the agent alone, without ffmpeg; the highest that was seen. */
  readonly residentBytes: number
  readonly cpuOfOneCore: number
  /** Of the ffmpeg which it runs. */
  readonly encoderCpuOfOneCore: number
  /** What a viewer got. */
  readonly videoBitsPerSec: number
  readonly seconds: number
}

const topic = 'agent-video'
const kilobitsPerSecond = 1000
const warmMs = 10_000
const sampleEveryMs = 1000
const firstPictureWithinMs = 30_000
const exchangeTimeoutMs = 10_000

/** The real agent with a real ffmpeg (test pattern at 1 Mbit/s), its uplink to a real relay, and one viewer. */
export async function measureAgent(
  started: RelayServer,
  agentProgram: string,
  measureMs: number,
): Promise<AgentCost> {
  await using relay = started
  await using folder = await agentFolder(relay)
  await using agent = await OwnedProcess.start({
    name: 'agent',
    command: process.execPath,
    args: [agentProgram, 'run', '--config', join(folder.path, 'agent.yaml')],
    env: childEnvironment(process.env),
  })
  const access = `${relay.access}/session/${topic}`
  const token = await relay.token(['read'], topic)
  const socket = new WebSocket(await exchangeToken({ access, token, timeoutMs: exchangeTimeoutMs }))
  let receivedBytes = 0
  socket.on('message', (data: Buffer) => {
    receivedBytes += data.length
  })
  try {
    await once(socket, 'message', { signal: AbortSignal.timeout(firstPictureWithinMs) })
  } catch (cause) {
    throw new AppError('AGENT_SILENT', `no video came from the agent: ${agent.lastLines.join(' ')}`, {
      cause,
    })
  }
  await sleep(warmMs)
  const encoder = await childOf(agent.pid)
  const from = {
    bytes: receivedBytes,
    cpuS: await cpuSeconds(agent.pid),
    encoderS: await cpuSeconds(encoder),
  }
  const fromMs = performance.now()
  let highest = 0
  while (performance.now() - fromMs < measureMs) {
    await sleep(sampleEveryMs)
    highest = Math.max(highest, await residentBytes(agent.pid))
  }
  const seconds = (performance.now() - fromMs) / 1000
  const result = {
    residentBytes: highest,
    cpuOfOneCore: ((await cpuSeconds(agent.pid)) - from.cpuS) / seconds,
    encoderCpuOfOneCore: ((await cpuSeconds(encoder)) - from.encoderS) / seconds,
    videoBitsPerSec: ((receivedBytes - from.bytes) * 8) / seconds,
    seconds,
  }
  socket.terminate()
  return result
}

async function agentFolder(relay: RelayServer): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'relay-bench-agent-'))
  await writeFile(join(path, 'video.token'), await relay.token(['write'], topic), { mode: 0o600 })
  const config = {
    relay: { access: relay.access },
    localApi: { port: 0 },
    cameras: [{ name: 'camera', feed: 'video', preset: 'test-pattern', kilobitsPerSecond }],
    topics: [{ topic, feed: 'video', tokenFile: 'video.token' }],
  }
  await writeFile(join(path, 'agent.yaml'), stringify(config))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The first child of a process: the agent's ffmpeg. */
async function childOf(pid: number): Promise<number> {
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')
    const first = Number.parseInt(children, 10)
    if (first > 0) return first
  }
  throw new AppError('ENCODER_MISSING', 'the agent runs no ffmpeg')
}
