import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentVersion } from '../../agent/src/version.ts'
import { buildSingle, singlePrograms } from '../single/build-single.ts'
import { runCommand } from './container/run-command.ts'
import { emulatorOf } from './emulator.ts'
import { ShippedAgent } from './shipped-agent.ts'

const checkout = join(import.meta.dirname, '../..')

const ownCpu = process.arch === 'arm64' ? 'arm64' : 'x64'
const otherCpu = ownCpu === 'arm64' ? 'x64' : 'arm64'

/** Two of the four are made here, which takes a quarter of a minute: the agent, with its add-ons, for each processor. */
describe('the agent as one file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'single-'))
  let own = ''
  let other = ''
  beforeAll(async () => {
    const programs = singlePrograms.filter(({ name }) => name === 'relay-agent')
    const files = await buildSingle({ checkout, directory, programs, cpus: [ownCpu, otherCpu] })
    ;[own = '', other = ''] = files
  }, 300_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('carries lines both ways between serial port and client, with nothing beside it', async () => {
    await using agent = await ShippedAgent.start([own])

    expect(await agent.exchangeLines()).toEqual({ client: ['{"angle":1.5}'], instrument: '{"set":"mode"}\n' })
  })

  test(`starts on ${otherCpu}`, async () => {
    const { stdout, stderr } = await runCommand('env', [...emulatorOf(otherCpu), other, 'version'], {
      withinMs: 120_000,
    })

    expect({ stdout, stderr }).toEqual({ stdout: `${agentVersion}\n`, stderr: '' })
  })

  test('may be run by everybody, and holds nothing but Node and the program', () => {
    expect(statSync(own).mode & 0o777).toBe(0o755)
    expect(statSync(own).size).toBeLessThan(140 * 1024 * 1024)
  })
})
