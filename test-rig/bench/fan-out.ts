import type { FanOutFigures, LoadOptions } from './load.ts'
import { runFanOut } from './load.ts'
import type { ServerUnderTest } from './server-under-test.ts'
import { median, shuffled } from './statistics.ts'

/** How one publisher speaks: as fast as its viewers take it, or in bursts like video. */
export type FanOutLoad =
  | { readonly kind: 'flood'; readonly sizeBytes: number }
  | {
      readonly kind: 'video'
      readonly sizeBytes: number
      readonly burst: number
      readonly burstsPerSec: number
    }

export interface Cell {
  readonly load: FanOutLoad
  readonly viewers: number
}

/** One run of one server under one load. */
export interface Run {
  readonly cell: Cell
  readonly server: ServerUnderTest['kind']
  readonly repetition: number
  readonly figures: FanOutFigures
}

/** What counts of a server's runs of one cell: medians over the repetitions. */
export interface CellSummary {
  readonly cpuSecPerGb: number
  readonly mbPerSec: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly loadCpuSecPerGb: number
  readonly runs: number
}

export interface CellResult {
  readonly cell: Cell
  readonly relay: CellSummary
  readonly raw: CellSummary
  /** Relay by reference, median of the pairs that ran one after the other. */
  readonly ratio: {
    readonly cpu: number
    readonly mbPerSec: number
    readonly p50: number
    readonly p99: number
  }
  /** Messages lost, out of order or on connections that were closed, in all runs: must be 0. */
  readonly damaged: number
}

const widths = [1, 10, 100, 500] as const
const sizes = [1024, 16_384, 65_536] as const
const warmMs = 700
/** Half of what the relay lets wait for a reader before it drops: the load is lossless by construction. */
const windowBytes = 512 * 1024

/** 25 pictures a second, each of 8 messages of 7 TS packets: 2.1 Mbit/s. */
export const videoLoad: FanOutLoad = { kind: 'video', sizeBytes: 1316, burst: 8, burstsPerSec: 25 }

/** Every cell: each message size as a flood, and the video-like load, to each number of viewers. */
export function allCells(): readonly Cell[] {
  const floods = sizes.map((sizeBytes): FanOutLoad => ({ kind: 'flood', sizeBytes }))
  return [...floods, videoLoad].flatMap((load) => widths.map((viewers) => ({ load, viewers })))
}

export interface FanOutDeps {
  readonly loadProgram: string
  /** A fresh server for each run. */
  readonly start: Readonly<Record<ServerUnderTest['kind'], () => Promise<ServerUnderTest>>>
  readonly random: () => number
  readonly onRun: (run: Run) => void
}

/**
 * Runs all cells, interleaved: in each repetition the cells come in random order, and within a cell relay and
 * reference run one after the other, in random order, each on a fresh server.
 */
export async function measureFanOut(
  cells: readonly Cell[],
  { repetitions, measureMs }: { readonly repetitions: number; readonly measureMs: number },
  deps: FanOutDeps,
): Promise<readonly CellResult[]> {
  const runs: Run[] = []
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    for (const cell of shuffled(cells, deps.random)) {
      for (const server of shuffled(['relay', 'raw'] as const, deps.random)) {
        const figures = await runCell(cell, measureMs, await deps.start[server](), deps.loadProgram)
        const run = { cell, server, repetition, figures }
        runs.push(run)
        deps.onRun(run)
      }
    }
  }
  return cells.map((cell) => summarise(cell, runs))
}

async function runCell(
  cell: Cell,
  measureMs: number,
  started: ServerUnderTest,
  loadProgram: string,
): Promise<FanOutFigures> {
  await using server = started
  const options: LoadOptions = {
    proto: server.proto,
    port: server.port,
    pid: server.pid,
    viewers: cell.viewers,
    size: cell.load.sizeBytes,
    'window-bytes': windowBytes,
    'warm-ms': warmMs,
    'measure-ms': measureMs,
    ...(cell.load.kind === 'video' ? { burst: cell.load.burst, 'bursts-per-s': cell.load.burstsPerSec } : {}),
  }
  return await runFanOut(loadProgram, options, await server.paths(cell.viewers))
}

/** Medians of one cell's runs, and of the ratios of its pairs. Pure. */
export function summarise(cell: Cell, runs: readonly Run[]): CellResult {
  const mine = runs.filter((run) => run.cell === cell)
  const of = (server: Run['server']): readonly Run[] => mine.filter((run) => run.server === server)
  const pairs = of('relay').flatMap((relay) => {
    const raw = of('raw').find(({ repetition }) => repetition === relay.repetition)
    return raw === undefined ? [] : [{ relay: relay.figures, raw: raw.figures }]
  })
  const ratio = (value: (figures: FanOutFigures) => number): number =>
    median(pairs.map(({ relay, raw }) => value(relay) / value(raw)))
  return {
    cell,
    relay: summariseServer(of('relay')),
    raw: summariseServer(of('raw')),
    ratio: {
      cpu: ratio(cpuSecPerGb),
      mbPerSec: ratio(mbPerSec),
      p50: ratio(({ p50Ms }) => p50Ms),
      p99: ratio(({ p99Ms }) => p99Ms),
    },
    damaged: mine.reduce((sum, { figures }) => sum + figures.lost + figures.gaps + figures.closed, 0),
  }
}

function summariseServer(runs: readonly Run[]): CellSummary {
  const of = (value: (figures: FanOutFigures) => number): number =>
    median(runs.map(({ figures }) => value(figures)))
  return {
    cpuSecPerGb: of(cpuSecPerGb),
    mbPerSec: of(mbPerSec),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    loadCpuSecPerGb: of(({ loadCpuS, deliveredBytes }) => (loadCpuS * 1e9) / deliveredBytes),
    runs: runs.length,
  }
}

function cpuSecPerGb({ serverCpuS, deliveredBytes }: FanOutFigures): number {
  return (serverCpuS * 1e9) / deliveredBytes
}

function mbPerSec({ deliveredBytes, seconds }: FanOutFigures): number {
  return deliveredBytes / 1e6 / seconds
}
