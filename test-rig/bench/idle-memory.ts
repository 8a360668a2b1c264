import { setTimeout as sleep } from 'node:timers/promises'
import { Load } from './load.ts'
import { residentBytes } from './process-figures.ts'
import type { ServerUnderTest } from './server-under-test.ts'

export interface IdleMemory {
  readonly connections: number
  /** Resident memory of the process with no connection at all. */
  readonly baseBytes: number
  readonly bytesPerConnection: number
}

const connections = 2000
/** They stay open too: by then everything is loaded that a connection needs, and what they freed cannot be reused. */
const firstConnections = 100
const settleMs = 5000

/** What resident memory grows by, for each of 2000 more idle viewers, garbage of setting them up included. */
export async function measureIdleMemory(started: ServerUnderTest, loadProgram: string): Promise<IdleMemory> {
  await using server = started
  await sleep(settleMs / 2)
  const baseBytes = await residentBytes(server.pid)
  await using first = await openIdle(server, loadProgram, firstConnections)
  await sleep(settleMs)
  const fromBytes = await residentBytes(server.pid)
  await using more = await openIdle(server, loadProgram, connections)
  await sleep(settleMs)
  const bytes = await residentBytes(server.pid)
  await Promise.all([first.end(), more.end()])
  return { connections, baseBytes, bytesPerConnection: (bytes - fromBytes) / connections }
}

/** Connections that are open by then. */
async function openIdle(server: ServerUnderTest, loadProgram: string, viewers: number): Promise<Load> {
  // The first path is the publisher's; nobody publishes here.
  const lines = (await server.paths(viewers)).slice(1)
  const load = new Load(loadProgram, {
    mode: 'idle',
    options: { proto: server.proto, port: server.port, viewers },
    lines,
  })
  await load.next()
  return load
}
