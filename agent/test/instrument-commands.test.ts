import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { AgentProcess } from './agent-process.ts'
import { eventually } from './eventually.ts'
import { PtyPair } from './pty-pair.ts'

const cleanUps: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'commands-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  return directory
}

function run(...args: readonly string[]): AgentProcess {
  const agent = new AgentProcess({ args })
  cleanUps.push(async () => {
    if (!agent.hasExited) await agent.stop('SIGKILL')
  })
  return agent
}

async function pluggedCable(directory: string): Promise<PtyPair> {
  const cable = new PtyPair(directory)
  cleanUps.push(() => cable.unplug())
  await cable.plug()
  return cable
}

describe('relay-agent record', () => {
  test('records a device until Ctrl-C and says how much', async () => {
    const directory = temporaryDirectory()
    const cable = await pluggedCable(directory)
    const file = join(directory, 'session.jsonl')
    const agent = run('record', cable.device, file)
    await eventually(() => agent.stderr.includes('is open'), { show: () => agent.stderr })
    cable.say('measured\n')
    await eventually(() => existsSync(file) && readFileSync(file, 'utf8').includes('measured'))

    const { code } = await agent.stop('SIGINT')

    expect(code).toBe(0)
    expect(agent.stdout).toBe(`${file}: 9 bytes of ${cable.device}\n`)
    expect(readFileSync(file, 'utf8')).toMatch(
      /^{"format":"relay-session","version":1.*\n.*opened.*\n.*"in":"measured/,
    )
  })

  test('knows the instruments of the configuration file, ends by itself, and fails where nothing was open', async () => {
    const directory = temporaryDirectory()
    const config = join(directory, 'agent.yaml')
    writeFileSync(config, 'instruments: [{ name: board, device: /dev/none }]')
    const file = join(directory, 'a.jsonl')
    const agent = run('record', 'board', file, '--config', config, '--for', '1s')

    expect(await agent.exitCode()).toBe(1)
    expect(agent.stderr).toMatch(/is not there.*; it is tried again\n/)
    expect(agent.stderr).toMatch(/nothing was recorded: .*\/dev\/none is not there/)
    expect(existsSync(file)).toBe(false)
  })

  test.each([
    [['nobody', 'a.jsonl'], 64, /there is no instrument "nobody".*it names board/],
    [['tcp://a', 'a.jsonl'], 64, /port is missing/],
    [['board', 'agent.yaml'], 64, /is there already/],
    [['board', 'a.jsonl', '--for', 'soon'], 64, /--for takes a duration/],
    [['board', 'a.jsonl', '--baud-rate', 'fast'], 64, /--baud-rate takes a whole number/],
    [['board', 'none/a.jsonl'], 1, /cannot be written/],
    [['tcp://me:geheim@127.0.0.1:9', 'a.jsonl'], 64, /^(?!.*geheim).*it cannot log in anywhere/],
  ])('%j is refused with one sentence', async ([instrument = '', file = '', ...more], code, text) => {
    const directory = temporaryDirectory()
    const config = join(directory, 'agent.yaml')
    writeFileSync(config, 'instruments: [{ name: board, device: "replay:/none" }]')
    const agent = run('record', instrument, join(directory, file), '--config', config, ...more)

    expect(await agent.exitCode()).toBe(code)
    expect(agent.stderr).toMatch(text)
  })
})

describe('relay-agent touch', () => {
  test('says when a port has no DTR line, as a pty', async () => {
    const cable = await pluggedCable(temporaryDirectory())
    const agent = run('touch', cable.device)

    expect(await agent.exitCode()).toBe(1)
    expect(agent.stderr).toContain('cannot be touched')
  })

  test('is only for serial ports of this machine', async () => {
    const agent = run('touch', 'rfc2217://127.0.0.1:9')

    expect(await agent.exitCode()).toBe(64)
    expect(agent.stderr).toContain('no serial port of this machine')
  })
})
