import { statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchStatus } from '../src/health/fetch-status.ts'
import { AgentWorkbench, freePort } from './agent-workbench.ts'
import { eventually } from './eventually.ts'
import { PtyPair } from './pty-pair.ts'

const secretToken = 'eyJhbGciOiJIUzI1NiJ9.eyJzY29wZXMiOltdfQ.very-secret-signature'

let bench: AgentWorkbench
beforeEach(() => {
  bench = new AgentWorkbench()
})
afterEach(() => bench.tidyUp())

/** A file with an agent whose every part fails, and who tells so at `socket`. */
function brokenConfig(socket: string, more = ''): string {
  bench.write('a.token', secretToken)
  return bench.write(
    'agent.yaml',
    `
name: pend00
status: { socket: "${socket}" }
localApi: { port: 0 }
relay: { access: "http://127.0.0.1:1/access" }
topics: [{ topic: t, feed: video, tokenFile: a.token }]
cameras: [{ name: front, preset: custom, arguments: [-i, /nonexistent/film] }]
instruments: [{ name: board, device: /nonexistent/tty }]
${more}`,
  )
}

const quiet = (socket: string): string => `localApi: { enabled: false }\nstatus: { socket: "${socket}" }\n`

describe('relay-agent status', () => {
  test('shows what is wrong with each part and what to do, without tokens and codes', async () => {
    const port = await freePort()
    const config = brokenConfig(bench.file('s.sock'), `metrics: { port: ${port} }\n`)
    const agent = bench.start({ args: ['run', '--config', config] })
    const logged = (wanted: string): boolean => agent.log.some(({ msg }) => msg === wanted)
    await eventually(
      () =>
        logged('status is served') &&
        logged('metrics are served') &&
        logged('camera failed, will be started again') &&
        logged('uplink is down, will be tried again'),
      { show: () => agent.stdout + agent.stderr },
    )

    const text = await bench.run({ args: ['status', '--config', config] })
    const json = await bench.run({ args: ['status', '--json', '--config', config] })
    const byPort = await bench.run({ args: ['status', '--json', '--config', config, '--status-socket', ''] })

    expect(text).toMatchObject({ code: 3, stderr: '' })
    expect(text.stdout).toMatch(/^pend00 · relay-agent \S+ · up .*\n\n {2}live {4}yes\n {2}ready {3}no\n/)
    expect(text.stdout).toMatch(/^ {4}ENCODER_\w+ .*second.* ago/m)
    expect(text.stdout).toMatch(/^ {4}camera front: ffmpeg .*\/nonexistent\/film/m)
    expect(text.stdout).toContain('instrument board: the serial port /nonexistent/tty is not there')
    expect(text.stdout).toMatch(/^ {2}t {2}\w+ {2}feed video.*\n {4}to http:\/\/127/m)
    for (const { stdout } of [json, byPort]) {
      expect(JSON.parse(stdout)).toMatchObject({
        format: 1,
        name: 'pend00',
        pid: agent.pid,
        health: { live: { ok: true }, ready: { ok: false }, linked: { ok: false } },
        cameras: [{ name: 'front', fault: { message: expect.stringContaining('film') as string } }],
        uplinks: [{ id: 't', fault: { code: 'ACCESS_UNREACHABLE' } }],
        localApi: { connections: 0 },
      })
    }
    const probe = await fetch(`http://127.0.0.1:${port}/readyz`)
    expect([probe.status, await probe.text()]).toEqual([503, expect.stringMatching(/^camera front: /)])
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toMatch(/^agent_live 1\n/m)
    expect(metrics).toMatch(/^agent_ready 0\n/m)
    expect(metrics).toMatch(/^agent_linked 0\n/m)
    expect(text.stdout + json.stdout + agent.stdout + metrics).not.toContain('very-secret')
    expect(statSync(bench.file('s.sock')).mode & 0o777).toBe(0o660)
    expect((await agent.stop()).code).toBe(0)
    expect(() => statSync(bench.file('s.sock'))).toThrow('ENOENT')
  })

  test('ends with 0 where all is well, and with 4 where only the link is missing', async () => {
    const config = bench.write('agent.yaml', quiet(bench.file('s.sock')))
    const agent = bench.start({ args: ['run', '--config', config] })
    await eventually(() => agent.log.some(({ msg }) => msg === 'status is served'))
    expect((await bench.run({ args: ['status', '--config', config] })).code).toBe(0)
    await agent.stop()

    bench.write('a.token', secretToken)
    const unlinked = bench.write(
      'unlinked.yaml',
      `${quiet(bench.file('s.sock'))}relay: { access: "http://127.0.0.1:1/x" }\ntopics: [{ topic: t, feed: data, tokenFile: a.token }]\n`,
    )
    const second = bench.start({ args: ['run', '--config', unlinked] })
    await eventually(() => second.log.some(({ msg }) => msg === 'uplink is down, will be tried again'))
    await eventually(() => second.log.some(({ msg }) => msg === 'status is served'))
    expect((await bench.run({ args: ['status', '--config', unlinked] })).code).toBe(4)
  })

  test('says in one sentence that no agent runs, whatever was left behind', async () => {
    const socket = bench.file('s.sock')
    const config = bench.write('agent.yaml', quiet(socket))
    const never = await bench.run({ args: ['status', '--config', config] })
    const agent = bench.start({ args: ['run', '--config', config] })
    await eventually(() => agent.log.some(({ msg }) => msg === 'status is served'))
    await agent.stop('SIGKILL')
    const killed = await bench.run({ args: ['status', '--config', config] })

    expect(statSync(socket).isSocket()).toBe(true)
    for (const { code, stdout, stderr } of [never, killed]) {
      expect([code, stdout]).toEqual([69, ''])
      expect(stderr).toBe(
        `relay-agent: the agent is not running: nobody answers at ${socket}; "systemctl status relay-agent" says why, "systemctl start relay-agent" starts it\n`,
      )
    }
  })

  test('takes the place of a killed agent, and none of a running one', async () => {
    const socket = bench.file('s.sock')
    const config = bench.write('agent.yaml', quiet(socket))
    const first = bench.start({ args: ['run', '--config', config] })
    await eventually(() => first.log.some(({ msg }) => msg === 'status is served'))
    await first.stop('SIGKILL')
    const second = bench.start({ args: ['run', '--config', config] })
    await eventually(() => second.log.some(({ msg }) => msg === 'status is served'))
    const third = bench.start({ args: ['run', '--config', config] })
    const refused = () => third.log.find(({ part }) => part === 'status socket')
    await eventually(() => refused() !== undefined, { show: () => third.stdout })

    expect(refused()).toMatchObject({ level: 'warn', error: { code: 'STATUS_SOCKET_IN_USE' } })
    const asked = async (): Promise<unknown> =>
      (
        JSON.parse((await bench.run({ args: ['status', '--json', '--config', config] })).stdout) as {
          pid: number
        }
      ).pid
    expect(await asked()).toBe(second.pid)
    expect((await third.stop()).code).toBe(0)
    expect(await asked()).toBe(second.pid)
  })

  test('asks in the usual place when the file cannot be read, but not when that file was named', async () => {
    const named = await bench.run({ args: ['status', '--config', bench.file('missing.yaml')] })
    const usual = await bench.run({
      args: ['status'],
      environment: { RELAY_AGENT_CONFIG: bench.file('missing.yaml') },
    })

    expect(named.code).toBe(78)
    expect(named.stderr).toContain('does not exist')
    expect(usual.code).toBe(69)
    expect(usual.stderr).toContain('/run/relay-agent/status.sock')
  })

  test('says in one sentence that nothing is told, or that the port is silent', async () => {
    const config = bench.write('agent.yaml', quiet(''))
    const port = await freePort()
    const off = await bench.run({ args: ['status', '--config', config] })
    const away = await bench.run({ args: ['status', '--config', config, '--metrics-port', String(port)] })

    expect(off).toMatchObject({ code: 78, stdout: '' })
    expect(off.stderr).toContain('status.socket is empty and metrics.port is 0')
    expect(away).toMatchObject({ code: 69, stdout: '' })
    expect(away.stderr).toContain(`no agent answers at http://127.0.0.1:${port}/status`)
  })

  test('remembers a fault that is over', async () => {
    const socket = bench.file('s.sock')
    const board = new PtyPair(bench.directory)
    bench.later(() => board.unplug())
    const config = bench.write(
      'agent.yaml',
      `${quiet(socket)}instruments: [{ name: board, device: ${board.device} }]\n`,
    )
    const agent = bench.start({ args: ['run', '--config', config] })
    await eventually(() => agent.log.some(({ msg }) => msg === 'status is served'))
    const faults = async () =>
      (await fetchStatus({ socket, metrics: { host: '', port: 0 } }, new AbortController().signal))
        .recentFaults
    await expect
      .poll(faults, { timeout: 20_000 })
      .toMatchObject([{ part: 'instrument board', isOver: false }])
    await board.plug()
    await expect.poll(faults, { timeout: 20_000 }).toMatchObject([{ part: 'instrument board', isOver: true }])

    const { code, stdout } = await bench.run({ args: ['status', '--config', config] })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^faults that are over\n {2}instrument board {2}INSTRUMENT_MISSING {2}.* ago: /m)
  })

  test('--watch follows an agent that goes away and comes back, and ends with 0', async () => {
    const config = bench.write('agent.yaml', quiet(bench.file('s.sock')))
    const watch = bench.start({ args: ['status', '--watch', '--json', '--config', config] })
    const lines = (): readonly { readonly pid?: number; readonly error?: { readonly code: string } }[] =>
      watch.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { pid?: number })
    await eventually(() => lines().some(({ error }) => error?.code === 'AGENT_NOT_RUNNING'))
    const agent = bench.start({ args: ['run', '--config', config] })
    await eventually(() => lines().at(-1)?.pid === agent.pid)
    await agent.stop('SIGKILL')
    await eventually(() => lines().at(-1)?.error?.code === 'AGENT_NOT_RUNNING')
    const again = bench.start({ args: ['run', '--config', config] })
    await eventually(() => lines().at(-1)?.pid === again.pid)

    expect((await watch.stop('SIGINT')).code).toBe(0)
    expect(watch.stderr).toBe('')
  })

  test('--watch in a pipe writes a line each time', async () => {
    const config = bench.write('agent.yaml', `name: pend00\n${quiet(bench.file('s.sock'))}`)
    const watch = bench.start({ args: ['status', '--watch', '--config', config] })
    await eventually(() => watch.stdout.includes('AGENT_NOT_RUNNING: the agent is not running'))
    bench.start({ args: ['run', '--config', config] })
    await eventually(() => /^\S+Z pend00 · live, ready, linked$/m.test(watch.stdout), {
      show: () => watch.stdout,
    })

    expect((await watch.stop('SIGTERM')).code).toBe(0)
  })
})
