import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Arguments, Process, Program } from '@relay/common/command-line'
import { exitCode } from '@relay/common/errors'
import { programPaths } from '../src/lab/program-paths.ts'
import { numberOption } from '../src/instrument/number-option.ts'
import { type AgentCost, measureAgent } from './agent-cost.ts'
import { type Appliance, measureAppliance } from './appliance.ts'
import { Bundles } from './bundles.ts'
import { type FleetReturn, measureFleetReturn } from './fleet-return.ts'
import { allCells, type CellResult, measureFanOut, type Run } from './fan-out.ts'
import { type IdleMemory, measureIdleMemory } from './idle-memory.ts'
import { NativePrograms } from './native-programs.ts'
import { RawServer } from './raw-server.ts'
import { RelayServer } from './relay-server.ts'
import {
  agentTable,
  applianceTable,
  describeLoad,
  fleetTable,
  fanOutTable,
  idleTable,
  setUpTable,
  targetLines,
} from './report.ts'
import { measureSetUps, type SetUpRate } from './set-ups.ts'
import { measureScp } from './shell/measure-scp.ts'
import { measureTunnel } from './shell/measure-tunnel.ts'
import { judgeShell, type ShellFigures, shellTable } from './shell/shell-report.ts'
import { median } from './statistics.ts'
import { judgeTargets } from './targets.ts'

const parts = ['all', 'fan-out', 'idle', 'set-ups', 'agent', 'appliance', 'fleet', 'shell'] as const
const fleetDevices = 200
const output = join(import.meta.dirname, '..', '..', 'test-output', 'bench.json')

interface Plan {
  readonly repetitions: number
  readonly part: string
  readonly measureMs: number
}

/** Both servers' figures of one kind. */
interface Both<T> {
  readonly relay: T
  readonly raw: T
}

/** `npm run bench`. */
export const benchProgram: Program = {
  name: 'bench',
  version: '0.1.0',
  description: 'Measures relay, agent and shell, each beside a plain reference in the same run',
  commands: [
    {
      usage: '$0',
      description: 'run the benchmarks; figures go to the screen and to test-output/bench.json',
      options: {
        quick: {
          type: 'boolean',
          default: false,
          describe: 'one short repetition instead of the median of several',
        },
        repetitions: { type: 'number', requiresArg: true, default: 3, describe: 'runs of each cell' },
        only: { choices: parts, default: 'all', describe: 'one part of it' },
      },
      run: async (args, process) => {
        try {
          return await runBench(args, process)
        } catch (error) {
          if (!process.signal.aborted) throw error
          process.stdout.write('bench: stopped; nothing was written\n')
          return exitCode.ok
        }
      },
    },
  ],
}

async function runBench(args: Arguments, process: Process): Promise<number> {
  const isQuick = args['quick'] === true
  const plan: Plan = {
    repetitions: isQuick ? 1 : numberOption(args, 'repetitions', { min: 1, max: 100 }),
    part: String(args['only']),
    measureMs: isQuick ? 1000 : 2000,
  }
  const print = (text: string): void => void process.stdout.write(`${text}\n`)
  const loadBefore = loadavg()
  print('bench: compiling the C programs and bundling relay and agent')
  await using native = await NativePrograms.compile()
  await using bundles = await Bundles.build()
  const bench = new Bench(plan, native, bundles, print, process.signal)
  const fanOut = await bench.fanOut()
  const setUps = await bench.setUps()
  const idle = await bench.idle()
  const agents = await bench.agents()
  const appliance = await bench.appliance()
  const fleet = await bench.fleet()
  const shell = await bench.shell()
  process.signal.throwIfAborted()

  const targets = [
    ...judgeTargets({ fanOut, idle, agent: agents?.['bundle'], appliance, fleet }),
    ...(shell === undefined ? [] : judgeShell(shell)),
  ]
  const tables = [
    fanOut.length === 0 ? '' : fanOutTable(fanOut),
    setUps === undefined ? '' : setUpTable(setUps),
    idle === undefined ? '' : idleTable(idle),
    agents === undefined ? '' : agentTable(agents),
    appliance === undefined ? '' : applianceTable(appliance),
    fleet.length === 0 ? '' : fleetTable(fleet),
    shell === undefined ? '' : shellTable(shell),
    targetLines(targets),
  ]
  print(`\n${tables.filter((table) => table !== '').join('\n\n')}`)
  const machine = {
    node: globalThis.process.version,
    kernel: release(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore,
    loadAfter: loadavg(),
  }
  await mkdir(join(output, '..'), { recursive: true })
  const report = {
    at: new Date().toISOString(),
    plan,
    machine,
    fanOut,
    setUps,
    idle,
    agents,
    appliance,
    fleet,
    shell,
    targets,
  }
  await writeFile(output, `${JSON.stringify(report, undefined, 2)}\n`)
  print(`\nbench: all figures are in test-output/bench.json`)
  return exitCode.ok
}

/** One run of the benchmarks: each method measures one part, or gives nothing where the plan leaves it out. */
class Bench {
  readonly #plan: Plan
  readonly #native: NativePrograms
  readonly #bundles: Bundles
  readonly #print: (text: string) => void
  readonly #signal: AbortSignal

  constructor(
    plan: Plan,
    native: NativePrograms,
    bundles: Bundles,
    print: (text: string) => void,
    signal: AbortSignal,
  ) {
    this.#plan = plan
    this.#native = native
    this.#bundles = bundles
    this.#print = print
    this.#signal = signal
  }

  async fanOut(): Promise<readonly CellResult[]> {
    if (!this.#has('fan-out')) return []
    const cells = allCells()
    const total = cells.length * 2 * this.#plan.repetitions
    let done = 0
    const onRun = ({ cell, server, figures }: Run): void => {
      this.#signal.throwIfAborted()
      done += 1
      const cpu = ((figures.serverCpuS * 1e9) / figures.deliveredBytes).toFixed(2)
      this.#print(
        `bench: ${done}/${total} ${server}, ${describeLoad(cell)}, ${cell.viewers}: ${cpu} CPU s/GB`,
      )
    }
    const start = { relay: () => this.#relay(), raw: () => this.#raw() }
    const deps = { loadProgram: this.#native.load, start, random: Math.random, onRun }
    return await measureFanOut(cells, this.#plan, deps)
  }

  async setUps(): Promise<Both<SetUpRate> | undefined> {
    if (!this.#has('set-ups')) return undefined
    this.#print('bench: setting connections up')
    const { relay, raw } = await this.#both((server) =>
      measureSetUps(server, this.#native.load, this.#plan.measureMs),
    )
    return { relay: medianOf(relay), raw: medianOf(raw) }
  }

  async idle(): Promise<Both<IdleMemory> | undefined> {
    if (!this.#has('idle')) return undefined
    this.#print('bench: holding idle connections')
    const { relay, raw } = await this.#both((server) => measureIdleMemory(server, this.#native.load))
    return { relay: medianOf(relay), raw: medianOf(raw) }
  }

  /** As it is shipped, which the target is about, and from source. */
  async agents(): Promise<Readonly<Record<'bundle' | 'source', AgentCost>> | undefined> {
    if (!this.#has('agent')) return undefined
    this.#print('bench: running the agent')
    const measureMs = 10 * this.#plan.measureMs
    const programs = { bundle: this.#bundles.agent, source: programPaths.agent }
    const costs: Record<keyof typeof programs, AgentCost[]> = { bundle: [], source: [] }
    for (let i = 0; i < this.#plan.repetitions; i += 1) {
      for (const name of ['bundle', 'source'] as const) {
        this.#signal.throwIfAborted()
        costs[name].push(await measureAgent(await this.#relay(), programs[name], measureMs))
      }
    }
    return { bundle: medianOf(costs.bundle), source: medianOf(costs.source) }
  }

  /** The agent from its start to the loss of its cable. */
  async appliance(): Promise<Appliance | undefined> {
    if (!this.#has('appliance')) return undefined
    const rounds: Appliance[] = []
    for (let i = 0; i < this.#plan.repetitions; i += 1) {
      rounds.push(
        await measureAppliance({
          program: this.#bundles.agent,
          measureMs: 10 * this.#plan.measureMs,
          relay: () => this.#relay(),
          onStep: (what) => {
            this.#signal.throwIfAborted()
            this.#print(`bench: agent, ${what}`)
          },
        }),
      )
    }
    return {
      start: medianOf(rounds.map(({ start }) => start)),
      delay: medianOf(rounds.map(({ delay }) => delay)),
      unplug: medianOf(rounds.map(({ unplug }) => unplug)),
    }
  }

  /** Once each, as a fleet takes its time. */
  async fleet(): Promise<readonly FleetReturn[]> {
    if (!this.#has('fleet')) return []
    const results: FleetReturn[] = []
    for (const devices of [1, fleetDevices]) {
      for (const how of ['restart', 'kill'] as const) {
        this.#signal.throwIfAborted()
        this.#print(
          `bench: ${devices} device${devices === 1 ? '' : 's'}, ${how} of the relay (up to two minutes)`,
        )
        results.push(await measureFleetReturn(devices, how))
      }
    }
    return results
  }

  /** The tunnel beside plain TCP, and scp through it beside scp. */
  async shell(): Promise<ShellFigures | undefined> {
    if (!this.#has('shell')) return undefined
    const { repetitions, measureMs } = this.#plan
    this.#print('bench: shell, tunnel beside three hops of TCP')
    const counts = { roundTrips: 2_000, setUps: 100, sessions: 50 }
    const tunnel = await measureTunnel({ repetitions, measureMs: 2 * measureMs, ...counts })
    this.#signal.throwIfAborted()
    this.#print('bench: shell, scp')
    return { tunnel, scp: await measureScp({ bytes: 500_000_000, repetitions }) }
  }

  #has(part: (typeof parts)[number]): boolean {
    return this.#plan.part === 'all' || this.#plan.part === part
  }

  async #both<T>(measure: (server: RelayServer | RawServer) => Promise<T>): Promise<Both<readonly T[]>> {
    const figures: { readonly relay: T[]; readonly raw: T[] } = { relay: [], raw: [] }
    for (let i = 0; i < this.#plan.repetitions; i += 1) {
      this.#signal.throwIfAborted()
      figures.relay.push(await measure(await this.#relay()))
      figures.raw.push(await measure(await this.#raw()))
    }
    return figures
  }

  async #relay(): Promise<RelayServer> {
    return await RelayServer.start(this.#bundles.relay)
  }

  async #raw(): Promise<RawServer> {
    return await RawServer.start(this.#native.rawfan)
  }
}

/** Field by field the median of records of numbers. Pure. */
function medianOf<T extends object>(records: readonly T[]): T {
  const [first] = records as readonly Readonly<Record<string, number>>[]
  const fields = Object.keys(first ?? {}).map((name) => [
    name,
    median(
      (records as readonly Readonly<Record<string, number>>[]).map((record) => record[name] ?? Number.NaN),
    ),
  ])
  return Object.fromEntries(fields) as T
}
