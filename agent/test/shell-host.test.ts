import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeRelay } from '../../common/test/shell-host/fake-relay.ts'
import { bytesOf, endOf, FakeSshd } from '../../common/test/shell-host/fake-sshd.ts'
import type { AgentProcess } from './agent-process.ts'
import { AgentWorkbench } from './agent-workbench.ts'
import { eventually } from './eventually.ts'

let bench = new AgentWorkbench()
beforeEach(() => {
  bench = new AgentWorkbench()
})
afterEach(() => bench.tidyUp())

/** An agent with a shell host alone, its relay and its sshd. */
async function startAgent() {
  const relay = await FakeRelay.start('ours')
  bench.later(() => relay[Symbol.asyncDispose]())
  const sshd = await FakeSshd.start()
  bench.later(() => sshd[Symbol.asyncDispose]())
  bench.write('shell.token', 'the.host.token')
  const configure = (more = '', limits = ''): string =>
    bench.write(
      'agent.yaml',
      `${more}
localApi: { enabled: false }
status: { socket: "${bench.file('status.sock')}" }
shell:
  session: "${relay.access}"
  tokenFile: shell.token
  sshd: { port: ${sshd.port} }
  hostKeys: { directory: "" }
${limits}`,
    )
  const file = configure()
  const agent = bench.start({ args: ['run', '--config', file] })
  const manager = await relay.wire()
  return { relay, sshd, agent, file, manager, configure }
}

async function reload(agent: AgentProcess): Promise<void> {
  const count = (): number => agent.log.filter(({ msg }) => msg === 'the configuration was read anew').length
  const before = count()
  agent.child.kill('SIGHUP')
  await eventually(() => count() > before, { withinMs: 60_000, show: () => agent.stdout })
}

type Started = Awaited<ReturnType<typeof startAgent>>

async function openSession({ relay, sshd, manager }: Pick<Started, 'relay' | 'sshd' | 'manager'>) {
  const { link } = await relay.client(manager, { peer: 'tunnel', token: '0'.repeat(32) })
  link.say({ type: 'paired', peer: 'tunnel' })
  link.say({ type: 'open', session: 'abcdefghijklmnopqrstuv', resume: false, received: 0, window: 4_194_304 })
  const tcp = await sshd.taken()
  await link.heard('opened')
  return { link, tcp }
}

/** A busy machine starts an agent, which starts another to read its configuration, in many seconds. */
const patience = { timeout: 120_000 }

describe('an agent with a shell host', patience, () => {
  test('carries a session to sshd, and tells of it in status', async () => {
    const started = await startAgent()
    expect(started.relay.asked).toEqual([{ path: '/shell/pend00', token: 'the.host.token' }])
    const { link, tcp } = await openSession(started)
    tcp.write('SSH-2.0-mock\r\n')
    expect((await link.bytes(14)).toString()).toBe('SSH-2.0-mock\r\n')
    link.send('SSH-2.0-ssh\r\n')
    expect((await bytesOf(tcp, 13)).toString()).toBe('SSH-2.0-ssh\r\n')

    const asked = bench.start({ args: ['status', '--json', '--config', started.file] })
    expect(await asked.exitCode()).toBe(0)
    expect(JSON.parse(asked.stdout)).toMatchObject({
      health: { linked: { ok: true } },
      shells: [
        { name: 'pend00', state: 'live', relay: 'ours', openedSessions: 1, receivedBytes: 13, sentBytes: 14 },
      ],
    })
    const shown = bench.start({ args: ['status', '--config', started.file] })
    expect(await shown.exitCode()).toBe(0)
    expect(shown.stdout).toMatch(/shells\n {2}pend00 {2}live {2}sessions 1, opened 1, sshd localhost:/)
  })

  test('keeps its sessions at a reload that changes something else', async () => {
    const started = await startAgent()
    const { link, tcp } = await openSession(started)
    started.configure('streams: [{ stream: stream/all, feeds: [data] }]')
    await reload(started.agent)

    tcp.write('still here')
    expect((await link.bytes(10)).toString()).toBe('still here')
    expect(started.manager.closed).toBeUndefined()
  })

  test('ends its sessions with words at a reload that changes it, and comes back changed', async () => {
    const started = await startAgent()
    const { link, tcp } = await openSession(started)
    started.configure('', '  limits: { sessions: 2 }')
    const ended = endOf(tcp)
    await reload(started.agent)

    expect(await link.heard('reset')).toMatchObject({ code: 'HOST_STOPPED' })
    expect(await ended).toBe('rst')
    await openSession({ ...started, manager: await started.relay.wire() })
  })

  test('uses a new token at once, and its sessions go on', async () => {
    const started = await startAgent()
    const { link, tcp } = await openSession(started)
    bench.write('shell.token', 'another.host.token')
    await started.relay.wire()

    expect(started.relay.asked.at(-1)).toEqual({ path: '/shell/pend00', token: 'another.host.token' })
    tcp.write('still here')
    expect((await link.bytes(10)).toString()).toBe('still here')
  })

  test('ends with words for the person when it is stopped', async () => {
    const started = await startAgent()
    const { link } = await openSession(started)
    expect(await started.agent.stop()).toMatchObject({ code: 0 })

    expect(await link.heard('reset')).toMatchObject({ code: 'HOST_STOPPED' })
    expect(await started.manager.whenClosed()).toBe(1000)
  })
})

test.each([
  [
    'session: "https://relay.example.org/session/pend00", tokenFile: t',
    /its path does not end in \/shell\/<id>/,
  ],
  [
    'session: "https://relay.example.org/shell/pend00"',
    /shell\.tokenFile: it is missing, and the shell host needs it/,
  ],
  ['tokenFile: t', /shell\.session: it is missing, and there is a tokenFile for it/],
])('a shell section with { %s } is told to be wrong', patience, async (section, what) => {
  const file = bench.write('agent.yaml', `shell: { ${section} }\n`)
  const check = bench.start({ args: ['check', '--config', file] })

  expect(await check.exitCode()).toBe(78)
  expect(check.stderr).toMatch(what)
})

test('a check tells of a shell host, and of a token that is not there', patience, async () => {
  const file = bench.write(
    'agent.yaml',
    'shell: { session: "https://relay.example.org/shell/pend00", tokenFile: shell.token }\n',
  )
  const check = bench.start({ args: ['check', '--config', file] })

  expect(await check.exitCode()).toBe(0)
  expect(check.stdout).toContain('is right: topics 0, cameras 0, instruments 0, a shell host')
  expect(check.stderr).toMatch(/shell\.tokenFile: the token file .*shell\.token is not there now/)
})
