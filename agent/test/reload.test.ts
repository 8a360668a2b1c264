import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { receiveDatagrams } from '../../systemd/node-systemd-notify/test/datagram-receiver.ts'
import type { AgentProcess } from './agent-process.ts'
import { AgentWorkbench } from './agent-workbench.ts'
import { eventually } from './eventually.ts'
import { PtyPair } from './pty-pair.ts'
import { ScriptedServer } from './scripted-server.ts'

const bench = { current: new AgentWorkbench() }
afterEach(async () => {
  await bench.current.tidyUp()
  bench.current = new AgentWorkbench()
})

const camera = (name: string, feed: string): string =>
  `{ name: ${name}, preset: test-pattern, feed: ${feed} }`

/** A whole agent: camera and instrument, each with an uplink, and systemd that listens. */
async function startWhole() {
  const { current } = bench
  const server = await ScriptedServer.open()
  current.later(() => server.close())
  const cable = new PtyPair(current.directory)
  await cable.plug()
  current.later(() => cable.unplug())
  for (const name of ['a', 'b', 'c']) current.write(`${name}.token`, `token-${name}`)
  const systemd = await receiveDatagrams(current.file('notify'))
  current.later(() => systemd[Symbol.asyncDispose]())
  const config = (text: string): string =>
    current.write(
      'agent.yaml',
      `relay: { access: "${server.access}" }\nlocalApi: { enabled: false }\nstatus: { socket: "" }\n${text}`,
    )
  const file = config(whole(cable.device, 'name: before'))
  const agent = current.start({
    args: ['run', '--config', file],
    environment: { NOTIFY_SOCKET: current.file('notify') },
  })
  const show = { show: () => agent.stdout + agent.stderr }
  await eventually(() => server.peers.length === 2 && count(agent, 'camera is live') === 1, show)
  await eventually(
    () => count(agent, 'instrument is open') === 1 && count(agent, 'uplink is live') === 2,
    show,
  )
  return { agent, server, cable, systemd, config }
}

function whole(device: string, more: string, topics = ''): string {
  return `${more}
cameras: [${camera('front', 'video')}]
instruments: [{ name: board, device: ${device} }]
topics:
  - { topic: a, feed: video, tokenFile: a.token }
  - { topic: b, feed: data, tokenFile: b.token }
${topics}`
}

function count(agent: AgentProcess, message: string): number {
  return agent.log.filter(({ msg }) => msg === message).length
}

async function reload(agent: AgentProcess): Promise<void> {
  const before = count(agent, 'the configuration was read anew')
  agent.child.kill('SIGHUP')
  await eventually(() => count(agent, 'the configuration was read anew') > before, {
    show: () => agent.stdout,
  })
}

function childrenOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
}

describe('a reload', () => {
  test('starts what is new and leaves all else alone: encoder, port and links go on without a lost message', async () => {
    const { agent, server, cable, systemd, config } = await startWhole()
    const encoders = childrenOf(agent.pid)
    expect(encoders).toHaveLength(1)
    const data = server.peers.find(({ path }) => path.includes('/b'))
    const told = Array.from({ length: 400 }, (_, index) => `line ${index}`)
    const talking = (async () => {
      for (const line of told) {
        cable.say(`${line}\n`)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    })()

    config(whole(cable.device, 'name: after', '  - { topic: c, feed: data, tokenFile: c.token }'))
    await reload(agent)

    await talking
    await eventually(() => data?.messages.length === told.length, { show: () => data?.messages.length })
    expect(data?.texts).toEqual(told)
    await eventually(() => server.peers.length === 3)
    expect(childrenOf(agent.pid)).toEqual(encoders)
    expect(server.peers.map(({ closeCode }) => closeCode)).toEqual([undefined, undefined, undefined])
    expect(count(agent, 'instrument is open')).toBe(1)
    const lines = await systemd.heard(/^MONOTONIC_USEC=/)
    const begun = lines.indexOf('RELOADING=1')
    await eventually(() => systemd.lines.slice(begun).includes('READY=1'))
    await systemd.heard(/^STATUS=after \|/)
  })

  test('ends what is gone and starts anew what changed', async () => {
    const { agent, server, config } = await startWhole()
    const encoders = childrenOf(agent.pid)
    const video = server.peers.find(({ path }) => path.includes('/a'))
    const data = server.peers.find(({ path }) => path.includes('/b'))

    config(`cameras: [{ name: front, preset: test-pattern, size: 320x240 }]
topics: [{ topic: a, feed: video, tokenFile: a.token }]
`)
    await reload(agent)

    await eventually(() => data?.closeCode === 1000)
    await eventually(() => count(agent, 'camera is live') === 2)
    expect(childrenOf(agent.pid)).toHaveLength(1)
    expect(childrenOf(agent.pid)).not.toEqual(encoders)
    expect(video?.closeCode).toBeUndefined()
    expect(count(agent, 'uplink stopped')).toBe(1)
    expect((await agent.stop()).code).toBe(0)
  })

  test.each([
    ['is wrong', (file: string) => writeFileSync(file, 'cameras: [{ nam: front }]\n')],
    ['is no YAML', (file: string) => writeFileSync(file, 'a: [\n')],
    ['is gone', (file: string) => rmSync(file)],
  ])('of a file that %s changes nothing, and the status says so until it is right', async (_what, spoil) => {
    const { agent, server, cable, systemd, config } = await startWhole()
    const encoders = childrenOf(agent.pid)
    spoil(bench.current.file('agent.yaml'))

    agent.child.kill('SIGHUP')

    await systemd.heard(/^STATUS=before \| the changed configuration is wrong and does not hold/)
    const complaint = agent.log.find(({ msg }) =>
      String(msg).startsWith('the new configuration does not hold'),
    )
    expect(complaint).toMatchObject({ level: 'error' })
    expect(JSON.stringify(complaint?.error)).toContain('agent.yaml')
    expect(childrenOf(agent.pid)).toEqual(encoders)
    expect(server.peers.map(({ closeCode }) => closeCode)).toEqual([undefined, undefined])

    config(whole(cable.device, 'name: after'))
    await reload(agent)
    await systemd.heard(/^STATUS=after \| linked/)
    expect((await agent.stop()).code).toBe(0)
  })

  test('that is ordered many times at once ends with the newest file', async () => {
    const { agent, server, cable, config } = await startWhole()
    for (let index = 0; index < 20; index++) {
      config(`topics: [{ topic: t${index}, feed: data, tokenFile: a.token }]\n`)
      agent.child.kill('SIGHUP')
    }
    config(whole(cable.device, 'name: last', '  - { topic: last, feed: data, tokenFile: c.token }'))
    agent.child.kill('SIGHUP')

    await eventually(() => server.peers.some(({ path }) => path.includes('/last')), {
      show: () => agent.stdout,
    })
    await eventually(() => server.peers.filter(({ closeCode }) => closeCode === undefined).length === 3)
    expect(agent.hasExited).toBe(false)
    expect((await agent.stop()).code).toBe(0)
  })

  test('in the middle of an end does not keep it from ending', async () => {
    const { agent } = await startWhole()
    agent.child.kill('SIGHUP')
    agent.child.kill('SIGTERM')
    agent.child.kill('SIGHUP')

    expect(await agent.exitCode()).toBe(0)
  })
})
