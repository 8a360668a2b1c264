import type { AgentCost } from './agent-cost.ts'
import type { Appliance } from './appliance.ts'
import type { CellResult } from './fan-out.ts'
import type { FleetReturn } from './fleet-return.ts'
import type { IdleMemory } from './idle-memory.ts'

/** All that was measured; undefined where it was left out. */
export interface Measured {
  readonly fanOut: readonly CellResult[]
  readonly idle: { readonly relay: IdleMemory } | undefined
  readonly agent: AgentCost | undefined
  readonly appliance: Appliance | undefined
  readonly fleet: readonly FleetReturn[]
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
const agentMb = 70
const agentCpu = 0.03
const readyMs = 1_500
const addedDelayMs = 3
const unplugMs = 2_000
const oneDeviceMs = 5_000
const fleetDevicesPerSec = 40
/** 200 devices, spread over 15 s, beginning when the relay is there again. */
const fleetMs = 20_000

/** Which of the project's targets are met by what was measured. Pure. */
export function judgeTargets({ fanOut, idle, agent, appliance, fleet }: Measured): readonly Target[] {
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
        what: 'resident memory of the agent at 1 Mbit/s of video and 100 lines/s',
        isMet: mb <= agentMb,
        figures: `${mb.toFixed(0)} MB, at most ${agentMb} MB`,
      },
      {
        what: 'CPU of the agent at 1 Mbit/s of video and 100 lines/s',
        isMet: agent.cpuOfOneCore < agentCpu,
        figures: `${(agent.cpuOfOneCore * 100).toFixed(1)} % of a core, under ${agentCpu * 100} %`,
      },
    )
  }
  if (appliance !== undefined) targets.push(...judgeAppliance(appliance))
  for (const result of fleet) targets.push(judgeFleet(result))
  return targets
}

function judgeAppliance({ start, delay, unplug }: Appliance): readonly Target[] {
  return [
    {
      what: 'cold start of the agent to READY',
      isMet: start.readyMs < readyMs,
      figures: `${start.readyMs.toFixed(0)} ms, under ${readyMs} ms`,
    },
    {
      what: 'delay that agent and relay add to data, p99',
      isMet: delay.addedP99Ms < addedDelayMs,
      figures: `${delay.addedP99Ms.toFixed(2)} ms, under ${addedDelayMs} ms`,
    },
    {
      what: 'recovery of data after the cable is plugged in again',
      isMet: unplug.pluggedToDataMs < unplugMs,
      figures: `${unplug.pluggedToDataMs.toFixed(0)} ms, under ${unplugMs} ms`,
    },
  ]
}

function judgeFleet({ how, devices, backDevices, lastMs, peakDevicesPerSec }: FleetReturn): Target {
  const seconds = (lastMs / 1000).toFixed(1)
  const isAllBack = backDevices === devices
  if (devices === 1) {
    return {
      what: `one device after a ${how} of the relay`,
      isMet: isAllBack && lastMs < oneDeviceMs,
      figures: `${seconds} s, under ${oneDeviceMs / 1000} s`,
    }
  }
  return {
    what: `${devices} devices after a ${how} of the relay`,
    isMet: isAllBack && lastMs < fleetMs && peakDevicesPerSec <= fleetDevicesPerSec,
    figures: `${backDevices} back within ${seconds} s, peak ${peakDevicesPerSec} per second, at most ${fleetDevicesPerSec}`,
  }
}
