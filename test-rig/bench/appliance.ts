import { type AgentStart, measureAgentStart } from './agent-start.ts'
import { type DataDelay, measureDataDelay } from './data-delay.ts'
import type { RelayServer } from './relay-server.ts'
import { measureUnplug, type UnplugRecovery } from './unplug-recovery.ts'

/** How the agent does as part of an appliance. */
export interface Appliance {
  readonly start: AgentStart
  readonly delay: DataDelay
  readonly unplug: UnplugRecovery
}

export interface ApplianceOptions {
  /** Bundle of the agent. */
  readonly program: string
  readonly measureMs: number
  /** A fresh relay for each measurement. */
  readonly relay: () => Promise<RelayServer>
  /** Called before each measurement; may throw to stop. */
  readonly onStep: (what: string) => void
}

/** One round of all measurements. */
export async function measureAppliance(options: ApplianceOptions): Promise<Appliance> {
  const { program, measureMs, relay, onStep } = options
  onStep('starting the agent until it is ready')
  const start = await measureAgentStart(await relay(), program)
  onStep('delay of data')
  const delay = await measureDataDelay(await relay(), program, measureMs)
  onStep('pulling the serial cable and putting it back')
  const unplug = await measureUnplug(await relay(), program)
  return { start, delay, unplug }
}
