import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import type { Arguments, Process, Program } from '@relay/common/command-line'
import { exitCode, UsageError } from '@relay/common/errors'
import { Bundles } from '../bench/bundles.ts'
import { numberOption } from '../src/instrument/number-option.ts'
import { seededRandom } from '../src/rig/mutated-bytes.ts'
import { type FaultKind, faultKinds } from './fault-kinds.ts'
import { planFaults } from './fault-plan.ts'
import { machineMs } from './machine-ms.ts'
import { ProcessWatch } from './process-watch.ts'
import { makeReport, reportText, type SoakReport } from './soak-report.ts'
import { SoakRun } from './soak-run.ts'
import { SoakSystem } from './soak-system.ts'
import { SoakViewers } from './soak-viewers.ts'

const output = join(import.meta.dirname, '..', '..', 'test-output')
const sampleEveryMs = 5_000
const tellEverySamples = 2
const longestWarmUpMs = 300_000
const warmUpShare = 0.2

interface SoakOptions {
  readonly forMs: number
  readonly seed: number
  readonly pauseMs: number
  readonly kinds: readonly FaultKind[]
}

/** `npm run soak`. */
export const soakProgram: Program = {
  name: 'soak',
  version: '0.1.0',
  description: 'Runs a whole system for hours while its parts are broken at random, and reports how it did',
  commands: [
    {
      usage: '$0',
      description: 'run until the time is over, or until Ctrl-C; 1: something failed',
      options: {
        hours: { type: 'number', requiresArg: true, describe: 'how long; default: 1' },
        minutes: { type: 'number', requiresArg: true, describe: 'how long, in addition to --hours' },
        seed: { type: 'number', requiresArg: true, default: 1, describe: 'the same seed, the same faults' },
        'pause-sec': {
          type: 'number',
          requiresArg: true,
          default: 12,
          describe: 'mean calm between two faults',
        },
        only: {
          type: 'string',
          requiresArg: true,
          describe: `these faults alone, with commas: ${faultKinds.join(', ')}`,
        },
      },
      run: runSoak,
    },
  ],
}

async function runSoak(args: Arguments, process: Process): Promise<number> {
  const options = readOptions(args)
  const tell = (text: string): void => void process.stdout.write(`${text}\n`)
  const loadBefore = loadavg()
  tell('soak: bundling relay and agent')
  await using bundles = await Bundles.build()
  await using system = await SoakSystem.start(bundles, options)
  const report = await soak(system, options, tell, process.signal)
  tell(`\n${reportText(report)}`)
  const machine = {
    node: globalThis.process.version,
    kernel: release(),
    cores: cpus().length,
    loadBefore,
    loadAfter: loadavg(),
  }
  await mkdir(output, { recursive: true })
  const file = join(output, `soak-${options.seed}.json`)
  await writeFile(file, `${JSON.stringify({ at: new Date().toISOString(), machine, ...report }, null, 2)}\n`)
  return report.failures.length === 0 ? exitCode.ok : exitCode.failed
}

async function soak(
  system: SoakSystem,
  { forMs, seed, pauseMs, kinds }: SoakOptions,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<SoakReport> {
  const ended = new AbortController()
  const viewers = new SoakViewers(system.relay, Math.random)
  const run = new SoakRun(system, viewers, {
    forMs,
    plan: planFaults({ kinds, pauseMs, random: seededRandom(seed) }),
    random: Math.random,
    tell,
  })
  const watches = {
    agent: new ProcessWatch(() => system.agent.pid),
    relay: new ProcessWatch(() => system.relay.pid),
  }
  const startedAtMs = machineMs()
  let samples = 0
  const sampling = setInterval(() => {
    samples += 1
    const isTime = samples % tellEverySamples === 0
    void Promise.all(Object.values(watches).map((watch) => watch.sample())).then(() => {
      if (isTime) tell(progressLine(machineMs() - startedAtMs, run, watches))
    })
  }, sampleEveryMs)
  const viewing = viewers.run(ended.signal)
  try {
    await run.run(signal)
  } finally {
    clearInterval(sampling)
    ended.abort()
    await viewing
  }
  const lastedMs = machineMs() - startedAtMs
  const warmUpMs = Math.min(longestWarmUpMs, lastedMs * warmUpShare)
  return makeReport({
    seed,
    lastedMs,
    wasStopped: signal.aborted,
    brokenBy: run.brokenBy,
    nowMs: machineMs(),
    records: run.records,
    viewers,
    processes: {
      agent: watches.agent.figures(warmUpMs),
      // It is started anew all the time, so it is never older than some minutes.
      relay: watches.relay.figures(Math.min(warmUpMs, 60_000)),
    },
  })
}

function progressLine(
  sinceMs: number,
  run: SoakRun,
  watches: Readonly<Record<string, ProcessWatch>>,
): string {
  const { records } = run
  const failed = records.filter(({ outcome }) => outcome === 'failed').length
  const held = Object.entries(watches).map(([name, { last }]) =>
    last === undefined
      ? `${name} -`
      : `${name} ${(last.residentBytes / 1e6).toFixed(1)} MB ${last.descriptors} fd`,
  )
  const minutes = Math.floor(sinceMs / 60_000)
  const seconds = Math.floor((sinceMs % 60_000) / 1000)
  const time = `${minutes}:${String(seconds).padStart(2, '0')}`
  return [time, `${records.length} faults, ${failed} not recovered`, ...held, run.doing].join(' | ')
}

function readOptions(args: Arguments): SoakOptions {
  const given = ['hours', 'minutes'].filter((name) => args[name] !== undefined)
  const part = (name: string, most: number): number =>
    given.includes(name) ? numberOption(args, name, { min: 0, max: most }) : 0
  const forMs =
    given.length === 0 ? 3_600_000 : part('hours', 10_000) * 3_600_000 + part('minutes', 600_000) * 60_000
  if (forMs === 0) throw new UsageError('--hours and --minutes give no time at all')
  const seed = numberOption(args, 'seed', { min: 0, max: 4_294_967_295 })
  const pauseMs = numberOption(args, 'pause-sec', { min: 0.1, max: 3600 }) * 1000
  return { forMs, seed, pauseMs, kinds: readKinds(args['only']) }
}

function readKinds(value: unknown): readonly FaultKind[] {
  if (typeof value !== 'string') return faultKinds
  return value.split(',').map((word) => {
    const kind = faultKinds.find((known) => known === word.trim())
    if (kind === undefined)
      throw new UsageError(`--only: "${word.trim()}" is none of ${faultKinds.join(', ')}`)
    return kind
  })
}
