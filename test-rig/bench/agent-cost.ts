import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@relay/common/errors'
import { BenchAgent } from './bench-agent.ts'
import { cpuSeconds, residentBytes } from './process-figures.ts'
import type { RelayServer } from './relay-server.ts'

export interface AgentCost {
  /** Of the agent alone, without ffmpeg; the highest that was seen. */
  readonly residentBytes: number
  readonly cpuOfOneCore: number
  /** Of the ffmpeg which it runs. */
  readonly encoderCpuOfOneCore: number
  /** What viewers got. */
  readonly videoBitsPerSec: number
  readonly linesPerSec: number
  readonly seconds: number
}

const linesPerSec = 100
const warmMs = 10_000
const sampleEveryMs = 1000
const firstMessageWithinMs = 30_000

/** The real agent with a real ffmpeg, an instrument of 100 lines a second, a real relay, and a viewer of each topic. */
export async function measureAgent(
  started: RelayServer,
  program: string,
  measureMs: number,
): Promise<AgentCost> {
  await using relay = started
  await using agent = await BenchAgent.prepare(relay, { program, hasCamera: true, linesPerSec })
  await agent.start()
  const received = { bytes: 0, lines: 0 }
  const video = await agent.view('video')
  const data = await agent.view('data')
  video.on('message', (frame: Buffer) => {
    received.bytes += frame.length
  })
  data.on('message', () => {
    received.lines += 1
  })
  try {
    const signal = AbortSignal.timeout(firstMessageWithinMs)
    await Promise.all([once(video, 'message', { signal }), once(data, 'message', { signal })])
  } catch (cause) {
    throw new AppError('AGENT_SILENT', `nothing came from the agent: ${agent.lastLines.join(' ')}`, { cause })
  }
  await sleep(warmMs)
  const encoder = await childOf(agent.pid)
  const from = { ...received, cpuS: await cpuSeconds(agent.pid), encoderS: await cpuSeconds(encoder) }
  const fromMs = performance.now()
  let highest = 0
  while (performance.now() - fromMs < measureMs) {
    await sleep(sampleEveryMs)
    highest = Math.max(highest, await residentBytes(agent.pid))
  }
  const seconds = (performance.now() - fromMs) / 1000
  return {
    residentBytes: highest,
    cpuOfOneCore: ((await cpuSeconds(agent.pid)) - from.cpuS) / seconds,
    encoderCpuOfOneCore: ((await cpuSeconds(encoder)) - from.encoderS) / seconds,
    videoBitsPerSec: ((received.bytes - from.bytes) * 8) / seconds,
    linesPerSec: (received.lines - from.lines) / seconds,
    seconds,
  }
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
