import { BenchAgent } from './bench-agent.ts'
import { NotifySocket } from './notify-socket.ts'
import type { RelayServer } from './relay-server.ts'

export interface AgentStart {
  /** From the start of the process to its READY=1, as systemd hears it. */
  readonly readyMs: number
}

const readyWithinMs = 30_000

/** How long the service manager waits for the agent with a camera and an instrument. */
export async function measureAgentStart(started: RelayServer, program: string): Promise<AgentStart> {
  await using relay = started
  await using notify = await NotifySocket.open()
  const environment = { NOTIFY_SOCKET: notify.path }
  await using agent = await BenchAgent.prepare(relay, {
    program,
    hasCamera: true,
    linesPerSec: 100,
    environment,
  })
  const fromMs = performance.now()
  await agent.start()
  return { readyMs: (await notify.ready(readyWithinMs)) - fromMs }
}
