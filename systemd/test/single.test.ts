import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentVersion } from '../../agent/src/version.ts'
import { version as shellVersion } from '../../shell/src/version.ts'
import { buildSingle, singlePrograms } from '../single/build-single.ts'
import { EchoSshd } from '../../test-rig/src/shell/echo-sshd.ts'
import { runCommand } from './container/run-command.ts'
import { emulatorOf } from './emulator.ts'
import { ShippedAgent } from './shipped-agent.ts'
import { ShippedShell } from './shipped-shell.ts'

const checkout = join(import.meta.dirname, '../..')

const ownCpu = process.arch === 'arm64' ? 'arm64' : 'x64'
const otherCpu = ownCpu === 'arm64' ? 'x64' : 'arm64'

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

describe('the shell programs as one file each', () => {
  const directory = mkdtempSync(join(tmpdir(), 'single-'))
  let shell = ''
  let jump = ''
  let otherShell = ''
  beforeAll(async () => {
    const made = (name: string): readonly (typeof singlePrograms)[number][] =>
      singlePrograms.filter((program) => program.name === name)
    ;[shell = '', otherShell = ''] = await buildSingle({
      checkout,
      directory,
      programs: made('shell'),
      cpus: [ownCpu, otherCpu],
    })
    ;[jump = ''] = await buildSingle({ checkout, directory, programs: made('jump'), cpus: [ownCpu] })
  }, 300_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('relay, host and client carry bytes both ways, with nothing beside them', async () => {
    await using shipped = await ShippedShell.start([shell])

    const { code, stdout, stderr } = await shipped.connect('there and back')

    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${EchoSshd.banner.toString()}there and back`,
      stderr: '',
    })
  })

  test(`start on ${otherCpu}, and under the name of the successor`, async () => {
    const options = { withinMs: 120_000 }
    const other = await runCommand('env', [...emulatorOf(otherCpu), otherShell, 'version'], options)
    const renamed = await runCommand(jump, ['version'], options)

    for (const { stdout, stderr } of [other, renamed])
      expect({ stdout, stderr }).toEqual({ stdout: `${shellVersion}\n`, stderr: '' })
  })
})
