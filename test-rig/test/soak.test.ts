import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SoakReport } from '../soak/soak-report.ts'
import { OwnedProcess, type ProcessEnd } from '../src/lab/owned-process.ts'
import { processTree } from '../src/rig/process-tree.ts'
import { until } from '../src/rig/until.ts'

const program = join(import.meta.dirname, '..', 'soak', 'main.ts')
/** Of no runs that a person would make: reports go by it. */
const seed = 4_000_000_001
const doomedSeed = 4_000_000_002
const kinds = ['relay-restart', 'encoder-kill', 'cable-pull', 'broker-kill', 'link-cut']
const enoughFaults = 3
const faultsWithinMs = 180_000
const endWithinMs = 60_000

describe('a short soak, ended by Ctrl-C', () => {
  const lines: string[] = []
  let soak: OwnedProcess
  let children = 0
  let end: ProcessEnd
  let report: SoakReport
  beforeAll(async () => {
    const options = ['--seed', String(seed), '--pause-sec', '1', '--only', kinds.join(',')]
    soak = await startSoak(options, lines)
    await untilLine(soak, lines, (line) => Number(/\| (\d+) faults/.exec(line)?.[1]) >= enoughFaults)
    children = (await processTree(soak.pid)).length
    process.kill(soak.pid, 'SIGINT')
    end = await until('its end', async () => !soak.isAlive && (await soak.ended), { withinMs: endWithinMs })
    report = JSON.parse(
      await readFile(join(import.meta.dirname, '../../test-output', `soak-${seed}.json`), 'utf8'),
    ) as SoakReport
  }, faultsWithinMs + endWithinMs)
  afterAll(async () => await soak.kill())

  test('recovers from every fault, loses nothing without one and ends with 0', () => {
    expect(report.failures).toEqual([])
    expect(end.code).toBe(0)
    expect(lines).toContain('nothing failed')
  })

  test('ran a whole system', () => {
    const { video, data, commands, mqtt } = report.streams

    // Agent, relay, broker, instrument, cable; the encoder may be away just now.
    expect(children).toBeGreaterThanOrEqual(4)
    for (const { messages } of [video, data, mqtt]) expect(messages).toBeGreaterThan(20)
    expect(commands.messages).toBeGreaterThan(3)
    expect(report.video.videoBytes).toBeGreaterThan(100_000)
  })

  test('says what the faults were, and what processes hold', () => {
    const { recoveries, processes, wasStopped } = report

    expect(recoveries.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThanOrEqual(enoughFaults)
    expect(processes['agent']?.residentBytes.max).toBeGreaterThan(20_000_000)
    expect(processes['agent']?.descriptors.max).toBeGreaterThan(10)
    expect(processes['agent']?.residentBytes.lives).toBe(1)
    expect(wasStopped).toBe(true)
    expect(lines.join('\n')).toMatch(/^soak: stopped after [\d.]+ minutes with seed 4000000001$/m)
  })
})

test('a soak whose agent dies ends at once with 1 and says so', async () => {
  const lines: string[] = []
  await using soak = await startSoak(['--seed', String(doomedSeed), '--pause-sec', '60'], lines)
  await untilLine(soak, lines, (line) => line.endsWith('| calm'))
  const agent = (await processTree(soak.pid)).find(({ commandLine }) => / run --config /.test(commandLine))

  process.kill(agent?.pid ?? 0, 'SIGKILL')
  const { code } = await until('its end', async () => !soak.isAlive && (await soak.ended), {
    withinMs: endWithinMs,
  })

  expect(lines.join('\n')).toMatch(/^FAILED:\n {2}the agent ended \(SIGKILL\)/m)
  expect(code).toBe(1)
}, 300_000)

async function startSoak(options: readonly string[], lines: string[]): Promise<OwnedProcess> {
  return await OwnedProcess.start({
    name: 'soak',
    command: process.execPath,
    args: [program, '--hours', '1', ...options],
    onLine: (line) => void lines.push(line),
  })
}

async function untilLine(
  soak: OwnedProcess,
  lines: readonly string[],
  wanted: (line: string) => boolean,
): Promise<void> {
  await until('the wanted line', () => !soak.isAlive || lines.some(wanted), { withinMs: faultsWithinMs })
  if (!lines.some(wanted)) throw new Error(`the soak has ended: ${[...lines, ...soak.lastLines].join('\n')}`)
}
