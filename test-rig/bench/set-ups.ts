import { runSetUps } from './load.ts'
import type { ServerUnderTest } from './server-under-test.ts'

export interface SetUpRate {
  readonly perSec: number
  readonly serverCpuMsEach: number
  readonly loadCpuMsEach: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly refused: number
}

const parallel = 16
const warmMs = 1500

/** How fast connections are set up (relay: POST, then websocket), 16 at a time. */
export async function measureSetUps(
  started: ServerUnderTest,
  loadProgram: string,
  measureMs: number,
): Promise<SetUpRate> {
  await using server = started
  const { options, lines } = await server.setUpLoad()
  const all = { ...options, proto: server.proto, port: server.port, pid: server.pid, parallel }
  await runSetUps(loadProgram, { ...all, 'measure-ms': warmMs }, lines)
  const figures = await runSetUps(loadProgram, { ...all, 'measure-ms': measureMs }, lines)
  return {
    perSec: figures.setUps / figures.seconds,
    serverCpuMsEach: (figures.serverCpuS * 1000) / figures.setUps,
    loadCpuMsEach: (figures.loadCpuS * 1000) / figures.setUps,
    p50Ms: figures.p50Ms,
    p99Ms: figures.p99Ms,
    refused: figures.refused,
  }
}
