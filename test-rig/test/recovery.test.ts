import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LabUnderTest } from '../src/rig/lab-under-test.ts'
import { measured } from '../src/rig/measured.ts'
import { processTree } from '../src/rig/process-tree.ts'
import type { TopicPeer } from '../src/rig/topic-peer.ts'
import { until } from '../src/rig/until.ts'

const victims = [
  { name: 'ffmpeg', commandLine: /^\S*ffmpeg /, brings: 'video' },
  { name: 'the instrument', commandLine: /instrument\/main\.ts/, brings: 'data' },
  { name: 'the serial cable', commandLine: /^socat /, brings: 'data' },
  { name: 'the agent', commandLine: /relay-agent\.mjs/, brings: 'video' },
  { name: 'the agent', commandLine: /relay-agent\.mjs/, brings: 'data' },
  { name: 'the relay', commandLine: /relay\.mjs serve/, brings: 'video' },
  { name: 'the relay', commandLine: /relay\.mjs serve/, brings: 'data' },
] as const

describe('after kill -9', () => {
  let lab: LabUnderTest
  beforeAll(async () => {
    lab = await LabUnderTest.start()
  })
  afterAll(async () => {
    await lab[Symbol.asyncDispose]()
  })

  test.each(victims)('of $name the $brings comes back by itself', async ({ name, commandLine, brings }) => {
    let viewer = await lab.join(brings)
    await viewer.message(() => true)
    const pid = await until(`a process of ${name}`, () => lab.part(commandLine))

    const killedAtMs = performance.now()
    process.kill(pid, 'SIGKILL')
    const replacement = await until(`a new process of ${name}`, async () => {
      const found = await lab.part(commandLine)
      return found === pid ? undefined : found
    })
    const replacedAtMs = performance.now()
    if (name === 'the relay') viewer = await rejoin(lab, brings)
    const { atMs } = await viewer.message((received) => received.atMs > replacedAtMs, 60_000)

    measured(`kill -9 of ${name}: ${brings} again after`, `${((atMs - killedAtMs) / 1000).toFixed(2)} s`)
    expect(replacement).not.toBe(pid)
    expect(viewer.closeCode).toBeUndefined()
    await viewer[Symbol.asyncDispose]()
  })

  test('of the lab itself nothing of it goes on running', async () => {
    const doomed = await LabUnderTest.start()
    const children = await processTree(doomed.pid)
    expect(children.length).toBeGreaterThan(3)

    process.kill(doomed.pid, 'SIGKILL')

    await until('the end of all its processes', () => children.every(({ pid }) => !isRunning(pid)))
  })
})

/** As the page does: a fresh token and address, until the relay is back. */
async function rejoin(lab: LabUnderTest, what: 'video' | 'data'): Promise<TopicPeer> {
  return await until('a connection to the new relay', () => lab.join(what), { everyMs: 100 })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
