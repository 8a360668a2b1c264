import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { isTransportStream } from '../src/video/ts-cutter.ts'
import { AgentProcess, type ProcessOptions } from './agent-process.ts'
import { eventually, isRunning } from './eventually.ts'
import { PtyPair } from './pty-pair.ts'
import { ScriptedServer } from './scripted-server.ts'

const secretToken = 'eyJhbGciOiJIUzI1NiJ9.eyJzY29wZXMiOltdfQ.very-secret-signature'
const exampleFile = fileURLToPath(new URL('../agent.example.yaml', import.meta.url))

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function start(options: ProcessOptions): AgentProcess {
  const agent = new AgentProcess(options)
  cleanUps.push(async () => {
    agent.child.kill('SIGKILL')
    await agent.exitCode()
  })
  return agent
}

async function run(options: ProcessOptions) {
  const agent = start(options)
  const code = await agent.exitCode()
  return { code, stdout: agent.stdout, stderr: agent.stderr }
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'agent-'))
  cleanUps.push(() => rmSync(directory, { recursive: true }))
  return directory
}

function writeConfig(text: string, directory = temporaryDirectory()): string {
  const file = join(directory, 'agent.yaml')
  writeFileSync(file, text)
  return file
}

async function openServer(): Promise<ScriptedServer> {
  const server = await ScriptedServer.open()
  cleanUps.push(() => server.close())
  return server
}

async function occupyPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The port that the log tells. */
async function localApiPort(agent: AgentProcess): Promise<number> {
  const found = (): unknown => agent.log.find(({ msg }) => msg === 'local API is served')?.port
  await eventually(() => typeof found() === 'number', { show: () => agent.stdout + agent.stderr })
  return Number(found())
}

describe('relay-agent run', () => {
  async function startWhole() {
    const server = await openServer()
    const directory = temporaryDirectory()
    const cable = new PtyPair(directory)
    await cable.plug()
    cleanUps.push(() => cable.unplug())
    for (const name of ['video', 'data'])
      writeFileSync(join(directory, `${name}.token`), `${secretToken}-${name}\n`)
    const config = writeConfig(
      `
name: pend00
relay: { access: "${server.access}" }
localApi: { port: 0 }
topics:
  - { topic: pend00-video, feed: video, tokenFile: video.token }
  - { topic: pend00-data, feed: data, tokenFile: data.token }
cameras:
  - { name: front, preset: test-pattern }
instruments:
  - { name: board, device: ${cable.device} }
`,
      directory,
    )
    const agent = start({ args: ['run', '--config', config] })
    const peerOf = async (topic: string) => {
      await eventually(() => server.peers.some(({ path }) => path.includes(topic)), {
        show: () => agent.stdout + agent.stderr,
      })
      const peer = server.peers.find(({ path }) => path.includes(topic))
      if (peer === undefined) throw new Error('no peer')
      return peer
    }
    return { agent, server, cable, video: await peerOf('pend00-video'), data: await peerOf('pend00-data') }
  }

  test('carries video and data to the relay and commands back, and ends with everything in order', async () => {
    const { agent, server, cable, video, data } = await startWhole()
    await eventually(() => video.messages.length >= 10, { show: () => agent.stdout })
    await eventually(() => agent.log.some(({ msg }) => msg === 'instrument is open'))
    cable.say('{"angle":1}\n')
    await eventually(() => data.messages.length === 1)
    data.websocket.send('{"set":"mode"}{"to":1}')
    await eventually(() => cable.received.includes('{"to":1}\n'))
    const local = new WebSocket(`ws://127.0.0.1:${await localApiPort(agent)}/ws/data`)
    const heard: string[] = []
    local.on('message', (message: Buffer) => void heard.push(message.toString()))
    await new Promise((resolve) => local.once('open', resolve))
    cable.say('{"angle":2}\n')
    await eventually(() => heard.length === 1)
    local.send('{"from":"a script"}')
    await eventually(() => data.texts.includes('{"from":"a script"}') && cable.received.includes('a script'))

    const { code, tookMs } = await agent.stop('SIGTERM')

    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(5_000)
    expect(server.posts.map(({ path, authorization }) => `${path} ${authorization}`).toSorted()).toEqual([
      `/access/session/pend00-data ${secretToken}-data`,
      `/access/session/pend00-video ${secretToken}-video`,
    ])
    expect(video.messages.every((message) => message.binary && isTransportStream(message.data))).toBe(true)
    expect(data.messages[0]).toEqual({ data: Buffer.from('{"angle":1}'), binary: false })
    expect(cable.received).toBe('{"set":"mode"}\n{"to":1}\n{"from":"a script"}\n')
    await eventually(() => video.closeCode !== undefined && data.closeCode !== undefined)
    expect([video.closeCode, data.closeCode]).toEqual([1000, 1000])
    expect(agent.stdout + agent.stderr).not.toMatch(/very-secret|secret-code/)
    expect(agent.stderr).toBe('')
  })

  test('keeps binary readings of an instrument until the relay is there', async () => {
    const directory = temporaryDirectory()
    const server = await openServer()
    const cable = new PtyPair(directory)
    await cable.plug()
    cleanUps.push(() => cable.unplug())
    const config = writeConfig(
      `
relay: { access: "${server.access}" }
localApi: { enabled: false }
topics: [{ topic: data, feed: data, tokenFile: data.token }]
instruments: [{ name: board, device: ${cable.device}, framing: raw }]
`,
      directory,
    )
    const agent = start({ args: ['run', '--config', config] })
    await eventually(() => agent.log.some(({ msg }) => msg === 'instrument is open'))
    cable.say('reading')
    await eventually(() => agent.log.some(({ msg }) => msg === 'uplink is down, will be tried again'))
    writeFileSync(join(directory, 'data.token'), secretToken)

    const peer = await server.peer(1)

    await eventually(() => peer.messages.length === 1)
    expect(peer.messages[0]).toEqual({ data: Buffer.from('reading'), binary: true })
  })

  test('leaves no encoder behind, whichever signal ends it', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      const config = writeConfig(
        'cameras: [{ name: a, preset: test-pattern }]\nlocalApi: { enabled: false }\n',
      )
      const agent = start({ args: ['run', '--config', config] })
      await eventually(() => agent.log.some(({ msg }) => msg === 'camera is live'))
      const encoders = childrenOf(agent.pid)
      expect(encoders).toHaveLength(1)

      const { code } = await agent.stop(signal)

      expect(code).toBe(signal === 'SIGKILL' ? null : 0)
      await eventually(() => encoders.every((pid) => !isRunning(pid)))
    }
  })

  test('goes on with everything else when parts of it cannot work', async () => {
    const server = await openServer()
    const directory = temporaryDirectory()
    const taken = await occupyPort()
    writeFileSync(join(directory, 'good.token'), secretToken)
    const config = writeConfig(
      `
relay: { access: "${server.access}" }
localApi: { port: ${taken}, host: 127.0.0.1 }
topics:
  - { topic: video, feed: video, tokenFile: good.token }
  - { topic: other, feed: other, tokenFile: missing.token }
  - { topic: far, feed: far, tokenFile: good.token, access: "http://127.0.0.1:${taken}/access" }
cameras:
  - { name: good, preset: test-pattern }
  - { name: missing, feed: other, device: /dev/v4l/by-id/none }
instruments:
  - { name: missing, device: /dev/serial/by-id/none }
`,
      directory,
    )
    const agent = start({ args: ['run', '--config', config] })
    await eventually(() => server.peers.length === 1 && (server.peers[0]?.messages.length ?? 0) > 5, {
      show: () => agent.stdout,
    })

    const codes = (): readonly unknown[] =>
      agent.log.map(({ error }) => (error as { readonly code?: string } | undefined)?.code)
    await eventually(() =>
      ['PORT_IN_USE', 'TOKEN_FILE_MISSING', 'CAMERA_MISSING', 'INSTRUMENT_MISSING'].every((code) =>
        codes().includes(code),
      ),
    )
    expect(agent.stderr.split('\n').filter((line) => line.includes('warning'))).toHaveLength(3)
    expect((await agent.stop()).code).toBe(0)
  })

  test('serves metrics where they are asked for', async () => {
    const config = writeConfig(
      'cameras: [{ name: front, preset: test-pattern }]\nlocalApi: { enabled: false }\n',
    )
    const port = await freePort()
    const agent = start({ args: ['run', '--config', config, '--metrics-port', String(port)] })
    await eventually(() => agent.log.some(({ msg }) => msg === 'camera is live'))
    await eventually(() => agent.log.some(({ msg }) => msg === 'metrics are served'))

    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    const text = await response.text()

    expect(text).toMatch(/^agent_camera_live\{camera="front"\} 1$/m)
    expect(text).toMatch(/^agent_camera_frames_total\{camera="front"\} [1-9][0-9]*$/m)
    expect((await agent.stop()).code).toBe(0)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

describe('relay-agent check', () => {
  test('finds the sample file right, and warns of what is not on this machine', async () => {
    const { code, stdout, stderr } = await run({ args: ['check', '--config', exampleFile] })

    expect(code).toBe(0)
    expect(stdout).toBe(`${exampleFile} is right: topics 2, cameras 1, instruments 2\n`)
    expect(stderr).toContain('topics[0].tokenFile: the token file')
  })

  test('tells every problem at once, with its line', async () => {
    const config = writeConfig(
      'relay: { acess: x }\ncameras:\n  - name: a b\n    size: big\ninstruments:\n  - name: x\n',
    )
    const { code, stdout, stderr } = await run({ args: ['check', '--config', config] })

    expect(code).toBe(78)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/has 4 problems/)
    expect(stderr).toMatch(/line 1: relay\.acess: there is no such key; did you mean "access"\?/)
    expect(stderr).toMatch(/line 3: cameras\[0\]\.name/)
    expect(stderr).toMatch(/line 4: cameras\[0\]\.size/)
    expect(stderr).toMatch(/line 6: instruments\[0\]\.device/)
  })

  test('tells what does not fit together, with its line', async () => {
    const config = writeConfig('cameras:\n  - name: a\n    preset: custom\n')
    const { code, stderr } = await run({ args: ['check', '--config', config] })

    expect(code).toBe(78)
    expect(stderr).toMatch(/agent\.yaml line 2: cameras\[0\]\.arguments: the preset custom needs/)
  })

  test('warns of token files that hold no usable token, and shows nothing of them', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'prose.token'), 'very-secret words\non two lines\n')
    writeFileSync(join(directory, 'empty.token'), '\n')
    writeFileSync(join(directory, 'long.token'), 'very-secret'.repeat(2_000))
    const claims = Buffer.from('{"topic":"very-secret-topic"}').toString('base64url')
    writeFileSync(join(directory, 'other.token'), `e30.${claims}.very-secret`)
    const names = ['prose.token', 'empty.token', 'long.token', 'other.token', '.']
    const topics = names.map((name, index) => `{ topic: t${index}, feed: f, tokenFile: ${name} }`)
    const config = writeConfig(
      `relay: { access: "https://a.example" }\ntopics: [${topics.join(', ')}]\n`,
      directory,
    )
    const { code, stdout, stderr } = await run({ args: ['check', '--config', config] })

    expect(code).toBe(0)
    expect(stderr).toContain('prose.token is not one token on one line')
    expect(stderr).toContain('there is no token in')
    expect(stderr).toContain('long.token is not one token on one line')
    expect(stderr).toContain('is for another topic than t3')
    expect(stderr).toMatch(/topics\[4\]\.tokenFile: the token file .* cannot be read/)
    expect(stderr).not.toContain(claims)
    expect(stdout + stderr).not.toContain('very-secret')
  })

  test('warns of a program that is not installed', async () => {
    const config = writeConfig(
      'cameras: [{ name: a, preset: test-pattern }]\nvideo: { ffmpeg: ffmpeg-of-mine }\n',
    )
    const { code, stderr } = await run({ args: ['check', '--config', config] })

    expect(code).toBe(0)
    expect(stderr).toContain('video.ffmpeg: the program ffmpeg-of-mine is not installed')
  })
})

describe('relay-agent config', () => {
  test('prints what holds, from file, environment and arguments, in a form that can be read again', async () => {
    const { code, stdout } = await run({
      args: ['config', '--config', exampleFile, '--name', 'mine'],
      environment: { RELAY_AGENT_LOCAL_API_PORT: '9000' },
    })
    const again = writeConfig(stdout)

    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ name: 'mine', localApi: { port: 9000 } })
    expect((await run({ args: ['check', '--config', again] })).code).toBe(0)
  })

  test('finds token files where systemd puts credentials, else beside the file', async () => {
    const credentials = temporaryDirectory()
    writeFileSync(join(credentials, 'a.token'), 'x')
    const config = writeConfig(
      'relay: { access: "https://a.example" }\ntopics: [{ topic: a, feed: a, tokenFile: a.token }, { topic: b, feed: b, tokenFile: b.token }]\n',
    )
    const { stdout } = await run({
      args: ['config', '--config', config],
      environment: { CREDENTIALS_DIRECTORY: credentials },
    })

    expect(JSON.parse(stdout)).toMatchObject({
      topics: [
        { tokenFile: join(credentials, 'a.token') },
        { tokenFile: config.replace('agent.yaml', 'b.token') },
      ],
    })
  })
})

describe('what is wrong on the command line', () => {
  test.each([
    [
      ['run', '--config', '/nonexistent/agent.yaml'],
      78,
      'the configuration file /nonexistent/agent.yaml does not exist',
    ],
    [['run', '--config'], 64, 'config'],
    [['run', '--confg', 'x'], 64, 'confg'],
    [['rum'], 64, 'rum'],
    [[], 64, 'a command is missing'],
    [['check', '--config', exampleFile, '--local-api-port', 'eighty'], 78, '--local-api-port'],
  ])('%j is told in one sentence, with exit code %i', async (args, expected, sentence) => {
    const { code, stdout, stderr } = await run({ args })

    expect(code).toBe(expected)
    expect(stderr).toContain(sentence)
    expect(stdout).toBe('')
  })

  test('help and version are no faults', async () => {
    const help = await run({ args: ['--help'] })
    const version = await run({ args: ['version'] })

    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('relay-agent run')
    expect(version).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' })
  })
})

describe('the host of the old programs', () => {
  test.each(['agent/bin/relay-agent.mjs', 'relay/bin/session.mjs', 'relay/bin/relay.mjs'])(
    'is what "%s host" runs, with the old variables, quiet as the old one',
    async (launcher) => {
      const port = await freePort()
      const agent = start({ args: ['host'], environment: { VW_PORT: String(port) }, launcher })
      await eventually(() => agent.hasExited || agent.pid > 0)
      const answer = await waitForHealth(port)

      expect(answer).toBe('"ok"\n')
      const { code, tookMs } = await agent.stop('SIGTERM')
      expect(code).toBe(0)
      expect(tookMs).toBeLessThan(5_000)
      expect(agent.stdout + agent.stderr).toBe('')
    },
  )

  test.each([
    ['relay/bin/session.mjs', 'Unrecognised Command'],
    ['agent/bin/relay-agent.mjs', 'Unrecognised Command'],
    ['relay/bin/relay.mjs', 'unrecognised Command'],
  ])('has the words of its generation when started by %s', async (launcher, error) => {
    const port = await freePort()
    const agent = start({ args: ['host'], environment: { VW_PORT: String(port) }, launcher })
    await waitForHealth(port)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/api`)
    const answer = new Promise<string>((resolve) =>
      socket.once('message', (data: Buffer) => resolve(data.toString())),
    )
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send('nonsense')

    expect(await answer).toBe(JSON.stringify({ error }))
    socket.terminate()
    expect((await agent.stop()).code).toBe(0)
  })

  test.each([
    ['ws://127.0.0.1:1/admin', ['apiRule']],
    ['', []],
  ])('with VW_API %j "delete all" leaves %j', async (api, left) => {
    const port = await freePort()
    start({ args: ['host'], environment: { VW_PORT: String(port), VW_API: api } })
    await waitForHealth(port)
    const destinations = `http://127.0.0.1:${port}/api/destinations`
    for (const id of api === '' ? ['0', 'apiRule'] : ['0']) {
      const body = JSON.stringify({ id, stream: 'api', destination: 'ws://127.0.0.1:1/x' })
      expect((await fetch(destinations, { method: 'POST', body })).status).toBe(200)
    }
    await fetch(`${destinations}/all`, { method: 'DELETE' })

    expect(Object.keys((await (await fetch(`${destinations}/all`)).json()) as object)).toEqual(left)
  })

  test('ends with 0 by SIGINT, closing its uplinks with 1000', async () => {
    const server = await openServer()
    const agent = start({
      args: ['host'],
      environment: { VW_PORT: '0', VW_API: `ws://127.0.0.1:${server.port}/admin`, VW_LOG_LEVEL: 'info' },
    })
    const peer = await server.peer(1)
    await eventually(() => agent.log.some(({ msg }) => msg === 'uplink is live'))
    peer.websocket.send('{"verb":"healthcheck"}')
    await eventually(() => peer.texts.includes('{"healthcheck":"ok"}'))

    expect((await agent.stop('SIGINT')).code).toBe(0)
    await eventually(() => peer.closeCode !== undefined)
    expect(peer.closeCode).toBe(1000)
  })

  test('says in one sentence that its port is in use', async () => {
    const port = await occupyPort()
    const { code, stderr, stdout } = await run({ args: ['host'], environment: { VW_PORT: String(port) } })

    expect(code).toBe(69)
    expect(stderr).toContain(`the local API: port ${port} of 127.0.0.1 is in use`)
    expect(stdout).toBe('')
  })

  test('refuses a port that is no number, by the name of the variable', async () => {
    const { code, stderr } = await run({ args: ['host'], environment: { VW_PORT: 'eighty' } })

    expect(code).toBe(78)
    expect(stderr).toContain('VW_PORT')
  })

  test('records what goes out only where that is allowed', async () => {
    const directory = temporaryDirectory()
    const port = await freePort()
    start({
      args: ['host', '--recordings-directory', directory],
      environment: { VW_PORT: String(port) },
    })
    await waitForHealth(port)
    const post = (file: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/api/destinations`, {
        method: 'POST',
        body: JSON.stringify({ id: '0', stream: 'data', destination: 'ws://127.0.0.1:1/x', file }),
      })
    const refused = await post('/etc/agent-recording')
    expect(refused.ok).toBe(false)
    expect(await refused.text()).toContain('"file" must name a file inside')
    expect((await post('out.txt')).status).toBe(200)

    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/data`)
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send('recorded')
    const file = join(directory, 'out.txt')
    await eventually(() => existsSync(file) && readFileSync(file, 'utf8') === 'recorded')
    socket.terminate()
  })
})

async function waitForHealth(port: number): Promise<string> {
  let answer = ''
  const ask = (): void => {
    fetch(`http://127.0.0.1:${port}/healthcheck`).then(
      async (response) => {
        answer = await response.text()
      },
      () => undefined,
    )
  }
  await eventually(() => {
    if (answer === '') ask()
    return answer !== ''
  })
  return answer
}
