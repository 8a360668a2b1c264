import type { AgentCost } from './agent-cost.ts'
import type { Appliance } from './appliance.ts'
import type { Cell, CellResult } from './fan-out.ts'
import type { FleetReturn } from './fleet-return.ts'
import type { IdleMemory } from './idle-memory.ts'
import type { SetUpRate } from './set-ups.ts'
import type { Target } from './targets.ts'
import { textTable } from './text-table.ts'

/** A load in words: "flood of 16 KiB", "video". */
export function describeLoad({ load }: Cell): string {
  return load.kind === 'flood' ? `flood of ${load.sizeBytes / 1024} KiB` : 'video-like'
}

/** The fan-out table. Pure. */
export function fanOutTable(results: readonly CellResult[]): string {
  const heading = [
    'load, viewers',
    'CPU s/GB',
    'C',
    'ratio',
    'MB/s',
    'C',
    'ratio',
    'p50 ms',
    'C',
    'p99 ms',
    'C',
    'load s/GB',
    'C',
  ]
  const rows = results.map(({ cell, relay, raw, ratio }) => [
    `${describeLoad(cell)}, ${cell.viewers}`,
    relay.cpuSecPerGb.toFixed(2),
    raw.cpuSecPerGb.toFixed(2),
    ratio.cpu.toFixed(2),
    relay.mbPerSec.toFixed(1),
    raw.mbPerSec.toFixed(1),
    ratio.mbPerSec.toFixed(2),
    relay.p50Ms.toFixed(2),
    raw.p50Ms.toFixed(2),
    relay.p99Ms.toFixed(2),
    raw.p99Ms.toFixed(2),
    relay.loadCpuSecPerGb.toFixed(2),
    raw.loadCpuSecPerGb.toFixed(2),
  ])
  return textTable(heading, rows)
}

/** Memory of idle connections. Pure. */
export function idleTable({ relay, raw }: { readonly relay: IdleMemory; readonly raw: IdleMemory }): string {
  const row = (
    name: string,
    { baseBytes, connections, bytesPerConnection }: IdleMemory,
  ): readonly string[] => [
    name,
    (baseBytes / 1e6).toFixed(0),
    String(connections),
    (bytesPerConnection / 1024).toFixed(2),
  ]
  return textTable(
    ['idle connections', 'process alone, MB', 'connections', 'KiB each'],
    [row('relay', relay), row('C', raw)],
  )
}

/** Setting connections up. Pure. */
export function setUpTable({ relay, raw }: { readonly relay: SetUpRate; readonly raw: SetUpRate }): string {
  const row = (name: string, rate: SetUpRate): readonly string[] => [
    name,
    rate.perSec.toFixed(0),
    rate.serverCpuMsEach.toFixed(3),
    rate.p50Ms.toFixed(2),
    rate.p99Ms.toFixed(2),
    String(rate.refused),
  ]
  return textTable(
    ['set-ups, 16 at a time', 'per s', 'server CPU ms each', 'p50 ms', 'p99 ms', 'refused'],
    [
      row('relay: POST + websocket', relay),
      row('C: connect + one byte', raw),
      [
        'relay by C',
        (relay.perSec / raw.perSec).toFixed(3),
        (relay.serverCpuMsEach / raw.serverCpuMsEach).toFixed(1),
      ],
    ],
  )
}

/** What the agent costs. Pure. */
export function agentTable(costs: Readonly<Record<string, AgentCost>>): string {
  return textTable(
    ['agent', 'resident MB', 'CPU % of a core', 'ffmpeg CPU %', 'kbit/s', 'lines/s'],
    Object.entries(costs).map(([name, cost]) => [
      name,
      (cost.residentBytes / 1e6).toFixed(1),
      (cost.cpuOfOneCore * 100).toFixed(2),
      (cost.encoderCpuOfOneCore * 100).toFixed(1),
      (cost.videoBitsPerSec / 1000).toFixed(0),
      cost.linesPerSec.toFixed(0),
    ]),
  )
}

/** The agent from its start to the loss of its cable. Pure. */
export function applianceTable({ start, delay, unplug }: Appliance): string {
  return textTable(
    ['agent', 'ms'],
    [
      ['start to READY', start.readyMs.toFixed(0)],
      ['data, instrument to viewer: p50', delay.p50Ms.toFixed(2)],
      ['data, instrument to viewer: p99', delay.p99Ms.toFixed(2)],
      ['the same along a bare cable: p50', delay.directP50Ms.toFixed(2)],
      ['the same along a bare cable: p99', delay.directP99Ms.toFixed(2)],
      ['cable plugged in to data at a viewer', unplug.pluggedToDataMs.toFixed(0)],
    ],
  )
}

/** How devices came back to their relay. Pure. */
export function fleetTable(results: readonly FleetReturn[]): string {
  return textTable(
    ['devices, relay', 'back', 'relay away s', 'first s', 'last s', 'peak devices/s', 'peak links/s'],
    results.map((result) => [
      `${result.devices}, ${result.how}`,
      String(result.backDevices),
      (result.awayMs / 1000).toFixed(2),
      (result.firstMs / 1000).toFixed(2),
      (result.lastMs / 1000).toFixed(2),
      String(result.peakDevicesPerSec),
      String(result.peakLinksPerSec),
    ]),
  )
}

/** The verdicts. Pure. */
export function targetLines(targets: readonly Target[]): string {
  return targets
    .map(({ what, isMet, figures }) => `${isMet ? 'met    ' : 'NOT MET'}  ${what}: ${figures}`)
    .join('\n')
}
