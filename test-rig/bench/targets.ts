import type { AgentCost } from './agent-cost.ts'
import type { CellResult } from './fan-out.ts'
import type { IdleMemory } from './idle-memory.ts'

/** All that was measured; undefined where it was left out. */
export interface Measured {
  readonly fanOut: readonly CellResult[]
  readonly idle: { readonly relay: IdleMemory } | undefined
  readonly agent: AgentCost | undefined
}

export interface Target {
  readonly what: string
  readonly isMet: boolean
  /** What was measured, and what it must be. */
  readonly figures: string
}

const videoCpuRatio = 2
/** The width at which the target is set; narrower ones pay for receiving too, which is shared by few. */
const videoViewers = 100
const idleKib = 20
const agentMb = 90
const agentCpu = 0.05

/** Which of the project's targets are met by what was measured. Pure. */
export function judgeTargets({ fanOut, idle, agent }: Measured): readonly Target[] {
  const targets: Target[] = []
  const video = fanOut.find(({ cell }) => cell.load.kind === 'video' && cell.viewers === videoViewers)
  if (video !== undefined) {
    targets.push({
      what: `video-like load to ${videoViewers} viewers: CPU per GB beside C with one send per message`,
      isMet: video.ratio.cpu <= videoCpuRatio,
      figures: `${video.ratio.cpu.toFixed(2)} x, at most ${videoCpuRatio} x`,
    })
  }
  if (fanOut.length > 0) {
    const damaged = fanOut.reduce((sum, cell) => sum + cell.damaged, 0)
    targets.push({
      what: 'nothing lost, repeated or out of order in any fan-out run',
      isMet: damaged === 0,
      figures: `${damaged} messages, must be 0`,
    })
  }
  if (idle !== undefined) {
    const kib = idle.relay.bytesPerConnection / 1024
    targets.push({
      what: 'memory of an idle connection',
      isMet: kib <= idleKib,
      figures: `${kib.toFixed(1)} KiB, at most ${idleKib} KiB`,
    })
  }
  if (agent !== undefined) {
    const mb = agent.residentBytes / 1e6
    targets.push(
      {
        what: 'resident memory of the agent at 1 Mbit/s of video',
        isMet: mb <= agentMb,
        figures: `${mb.toFixed(0)} MB, at most ${agentMb} MB`,
      },
      {
        what: 'CPU of the agent at 1 Mbit/s of video',
        isMet: agent.cpuOfOneCore < agentCpu,
        figures: `${(agent.cpuOfOneCore * 100).toFixed(1)} % of a core, under ${agentCpu * 100} %`,
      },
    )
  }
  return targets
}
