import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentVersion } from '../../agent/src/version.ts'
import { buildSingle, singlePrograms } from '../single/build-single.ts'
import { runCommand } from './container/run-command.ts'
import { ShippedAgent } from './shipped-agent.ts'

const checkout = join(import.meta.dirname, '../..')

/** Two of the four are made here, which takes a quarter of a minute: the agent, with its add-ons, for each processor. */
describe('the agent as one file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'single-'))
  let x64 = ''
  let arm64 = ''
  beforeAll(async () => {
    const programs = singlePrograms.filter(({ name }) => name === 'relay-agent')
    const files = await buildSingle({ checkout, directory, programs, cpus: ['x64', 'arm64'] })
    ;[x64 = '', arm64 = ''] = files
  }, 300_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('carries lines both ways between serial port and client, with nothing beside it', async () => {
    await using agent = await ShippedAgent.start([x64])

    expect(await agent.exchangeLines()).toEqual({ client: ['{"angle":1.5}'], instrument: '{"set":"mode"}\n' })
  })

  test('starts on a Raspberry Pi', async () => {
    const { stdout, stderr } = await runCommand(
      'qemu-aarch64-static',
      ['-L', '/usr/aarch64-linux-gnu', arm64, 'version'],
      { withinMs: 120_000 },
    )

    expect({ stdout, stderr }).toEqual({ stdout: `${agentVersion}\n`, stderr: '' })
  })

  test('may be run by everybody, and holds nothing but Node and the program', () => {
    expect(statSync(x64).mode & 0o777).toBe(0o755)
    expect(statSync(x64).size).toBeLessThan(140 * 1024 * 1024)
  })
})
