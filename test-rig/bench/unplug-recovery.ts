import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchAgent } from './bench-agent.ts'
import type { RelayServer } from './relay-server.ts'

export interface UnplugRecovery {
  /** From the moment the cable is plugged in again to the next line at a viewer. */
  readonly pluggedToDataMs: number
}

const dataWithinMs = 30_000
/** Long enough for several attempts to open the port, so that the usual pause between them has grown. */
const unpluggedMs = 4_000

/** The cable of a talking instrument is pulled and put back. */
export async function measureUnplug(started: RelayServer, program: string): Promise<UnplugRecovery> {
  await using relay = started
  await using agent = await BenchAgent.prepare(relay, { program, linesPerSec: 100 })
  await agent.start()
  const viewer = await agent.view('data')
  const data = (): Promise<unknown> => once(viewer, 'message', { signal: AbortSignal.timeout(dataWithinMs) })
  await data()
  await sleep(2_000)
  await agent.cable.pull()
  await sleep(unpluggedMs)
  const fromMs = performance.now()
  const back = data()
  await agent.cable.plug()
  await back
  return { pluggedToDataMs: performance.now() - fromMs }
}
