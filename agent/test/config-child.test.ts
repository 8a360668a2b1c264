import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { receiveDatagrams } from '../../systemd/node-systemd-notify/test/datagram-receiver.ts'
import type { AgentProcess } from './agent-process.ts'
import { AgentWorkbench } from './agent-workbench.ts'
import { eventually, isRunning } from './eventually.ts'

let bench: AgentWorkbench
beforeEach(() => {
  bench = new AgentWorkbench()
})
afterEach(() => bench.tidyUp())

const config = (name: string): string =>
  `name: ${name}\nstatus: { socket: "" }\nlocalApi: { enabled: false }\n`

/** A configuration on a disk that hangs: reading it waits until something is written into it. */
function hangingFile(name = 'agent.yaml'): string {
  execFileSync('mkfifo', [bench.file(name)])
  return bench.file(name)
}

async function childOf({ pid }: AgentProcess): Promise<number> {
  const children = (): readonly string[] =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  await eventually(() => children().length > 0)
  return Number(children()[0])
}

const has = (agent: AgentProcess, message: string): boolean =>
  agent.log.some(({ msg }) => String(msg).startsWith(message))

describe('while the configuration is read at the start', () => {
  test('an order to stop ends the agent in order, and the reader with it', async () => {
    const agent = bench.start({ args: ['run', '--config', hangingFile()] })
    const child = await childOf(agent)

    expect((await agent.stop()).code).toBe(0)

    expect(agent.stdout + agent.stderr).toBe('')
    await eventually(() => !isRunning(child))
  })

  test('a reader that is killed is told of in one sentence', async () => {
    const agent = bench.start({ args: ['run', '--config', hangingFile()] })
    process.kill(await childOf(agent), 'SIGKILL')

    expect(await agent.exitCode()).toBe(1)

    expect(agent.stderr).toBe(
      'relay-agent: the process that reads the configuration was ended by SIGKILL before it was done\n',
    )
  })

  test('an order to reload is not forgotten', async () => {
    const file = hangingFile()
    const agent = bench.start({ args: ['run', '--config', file] })
    const first = await childOf(agent)
    agent.child.kill('SIGHUP')
    await writeFile(file, config('old'))
    await eventually(() => has(agent, 'agent is running'), { show: () => agent.stderr })
    await eventually(() => !isRunning(first))
    await childOf(agent)
    await writeFile(file, config('new'))

    await eventually(() => has(agent, 'the configuration was read anew'), { show: () => agent.stdout })
    expect((await agent.stop()).code).toBe(0)
  })
})

describe('while the configuration is read anew', () => {
  async function startReloading() {
    const systemd = await receiveDatagrams(bench.file('notify'))
    bench.later(() => systemd[Symbol.asyncDispose]())
    const file = bench.write('agent.yaml', config('before'))
    const agent = bench.start({
      args: ['run', '--config', file],
      environment: { NOTIFY_SOCKET: bench.file('notify') },
    })
    await systemd.heard('READY=1')
    renameSync(hangingFile('pipe'), file)
    agent.child.kill('SIGHUP')
    await systemd.heard('RELOADING=1')
    return { agent, systemd, child: await childOf(agent) }
  }

  test('an order to stop is no fault of the configuration, and is the last that systemd hears', async () => {
    const { agent, systemd, child } = await startReloading()

    expect((await agent.stop()).code).toBe(0)

    await systemd.heard('STOPPING=1')
    expect(systemd.lines.filter((line) => line === 'READY=1')).toHaveLength(1)
    expect(agent.log.filter(({ level }) => level !== 'info')).toEqual([])
    await eventually(() => !isRunning(child))
  })

  test('a reader that is killed leaves everything as it was, and the log says how it ended', async () => {
    const { agent, systemd, child } = await startReloading()
    process.kill(child, 'SIGKILL')

    await systemd.heard(/^STATUS=before \| the changed configuration is wrong and does not hold/)

    const complaint = agent.log.find(({ level }) => level === 'error')
    expect(complaint?.error).toMatchObject({
      code: 'CONFIG_READER_FAILED',
      message: 'the process that reads the configuration was ended by SIGKILL before it was done',
    })
    expect((await agent.stop()).code).toBe(0)
  })
})
