import { systemClock } from '@relay/common/clock'
import { describe, expect, test } from 'vitest'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { type Part, runPart } from '../src/lab/part.ts'
import { until } from '../src/rig/until.ts'

function shellPart(script: string, ready: Part['ready'] = () => Promise.resolve()): Part {
  return {
    name: 'thing',
    start: () => OwnedProcess.start({ name: 'thing', command: 'sh', args: ['-c', script] }),
    ready,
  }
}

const never: Part['ready'] = () => new Promise(() => undefined)

describe('a part of the laboratory', () => {
  test('that does not start gives its exit code and what it said last, and is not tried again', async () => {
    const said: string[] = []
    const deps = { clock: systemClock, random: () => 0, say: (line: string) => void said.push(line) }
    const part = shellPart('echo the port is taken >&2; exit 78', never)

    const life = runPart(part, deps, new AbortController().signal, () => undefined)

    await expect(life).rejects.toMatchObject({
      code: 'PART_FAILED',
      message: expect.stringMatching(
        /^thing does not start: thing ended with exit code 78; it said last:\n {4}the port is taken/,
      ) as unknown,
    })
    expect(said).toEqual([])
  })

  test('whose program is missing is named', async () => {
    const deps = { clock: systemClock, random: () => 0, say: () => undefined }
    const part: Part = {
      name: 'thing',
      start: () => OwnedProcess.start({ name: 'thing', command: 'no-such-program', args: [] }),
      ready: never,
    }

    await expect(runPart(part, deps, new AbortController().signal, () => undefined)).rejects.toThrow(
      /^thing does not start: thing ended with exit code 127; .*no-such-program/s,
    )
  })

  test('that has worked is started again with a line, and stops with everything it started', async () => {
    const said: string[] = []
    const deps = { clock: systemClock, random: () => 0, say: (line: string) => void said.push(line) }
    const ending = new AbortController()
    const started: OwnedProcess[] = []
    const part: Part = {
      name: 'thing',
      start: async () => {
        const process = await OwnedProcess.start({
          name: 'thing',
          command: 'sh',
          args: ['-c', 'trap "" TERM; sleep 1000 & echo $!; sleep 0.2; kill -9 $$'],
        })
        started.push(process)
        return process
      },
      ready: () => Promise.resolve(),
    }

    const life = runPart(part, deps, ending.signal, () => undefined)
    await until('a second start', () => started.length >= 2)
    ending.abort()
    await life

    expect(said[0]).toMatch(/^thing ended by SIGKILL.*; it is started again in 0\.[0-9]+ s$/s)
    expect(started.every((process) => !process.isAlive)).toBe(true)
    const grandchildren = started.map((process) => Number(process.lastLines[0]))
    expect(grandchildren.length).toBeGreaterThanOrEqual(2)
    for (const pid of grandchildren.filter((number) => number > 0))
      await until('its end', () => !isAlive(pid))
  })

  test('that ignores SIGTERM is killed after the grace, with its children', async () => {
    await using stubborn = await OwnedProcess.start({
      name: 'stubborn',
      command: 'sh',
      args: ['-c', 'trap "" TERM; sleep 1000 & echo $!; wait; wait'],
    })
    const child = await until('its child', () => Number(stubborn.lastLines[0]))

    await stubborn.stop(100)

    expect(stubborn.isAlive).toBe(false)
    await until('the end of its child', () => !isAlive(child))
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
