import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ChildProgram } from '../src/golden/child-program.ts'
import { FreePorts } from '../src/golden/free-ports.ts'
import { until } from '../src/rig/until.ts'
import { EchoSshd } from '../src/shell/echo-sshd.ts'
import { shellCommand } from '../src/shell/shell-command.ts'
import { shellToken } from '../src/shell/shell-token.ts'
import { TunnelTalk } from '../src/shell/tunnel-talk.ts'

const startWithinMs = 60_000

test('no token, code or secret reaches a log of the shell, at the finest level and in failure too', async () => {
  const free = new FreePorts()
  const [access, bar, local] = [await free.next(), await free.next(), await free.next()]
  const secret = randomBytes(24).toString('hex')
  const audience = `http://127.0.0.1:${access}`
  const session = `${audience}/shell/pend00`
  const tokenOf = (scope: 'host' | 'client'): string =>
    shellToken({ id: 'pend00', scope, prefix: 'shell', audience, secret })
  const [hostToken, clientToken] = [tokenOf('host'), tokenOf('client')]
  const damaged = `${clientToken.slice(0, -6)}AAAAAA`
  const secrets = [secret, hostToken, clientToken, damaged]
  let logged = ''
  const programs: ChildProgram[] = []
  const start = (role: 'relay' | 'host' | 'client', env: Readonly<Record<string, string>>): ChildProgram => {
    const program = new ChildProgram(shellCommand('v0.2.2', role), env, (text) => {
      logged += text
    })
    programs.push(program)
    return program
  }
  const clientEnv = (token: string): Readonly<Record<string, string>> => ({
    SHELLCLIENT_LOCALPORT: String(local),
    SHELLCLIENT_RELAYSESSION: session,
    SHELLCLIENT_TOKEN: token,
    SHELL_CLIENT_LOG_LEVEL: 'trace',
  })
  const ask = async (token: string): Promise<Response> =>
    await fetch(session, { method: 'POST', headers: { authorization: token } })
  await using sshd = await EchoSshd.start()
  try {
    const relay = start('relay', {
      SHELLRELAY_ACCESSPORT: String(access),
      SHELLRELAY_RELAYPORT: String(bar),
      SHELLRELAY_ACCESSFQDN: audience,
      SHELLRELAY_RELAYFQDN: `ws://127.0.0.1:${bar}`,
      SHELLRELAY_SECRET: secret,
      SHELLRELAY_LOG_LEVEL: 'trace',
      SHELLRELAY_METRICS_PORT: '0',
    })
    await relay.whenListening([access, bar], startWithinMs)
    start('host', {
      SHELLHOST_LOCALPORT: String(sshd.port),
      SHELLHOST_RELAYSESSION: session,
      SHELLHOST_TOKEN: hostToken,
      SHELL_HOST_LOG_LEVEL: 'trace',
    })
    const client = start('client', clientEnv(clientToken))
    await client.whenListening([local], startWithinMs)
    using talk = await TunnelTalk.open(local)
    expect(await talk.read(EchoSshd.banner.length)).toEqual(EchoSshd.banner)

    const { uri } = (await (await ask(clientToken)).json()) as { uri: string }
    secrets.push(new URL(uri).searchParams.get('code') ?? 'no code')
    expect(await statusOf(uri.replace('/shell/', '/connect/'))).toBe(401)
    expect(await statusOf(uri)).toBe(401)
    expect((await ask(damaged)).status).toBe(401)
    await client.stop()
    const refused = start('client', clientEnv(damaged))
    await refused.whenListening([local], startWithinMs)
    using _talk = await TunnelTalk.open(local)
    await until('a line of the client about its refusal', () => /refused|REFUSED/.test(logged))
  } finally {
    await Promise.all(programs.map((program) => program.stop()))
  }

  expect(logged.length).toBeGreaterThan(500)
  for (const hidden of secrets) {
    expect(logged.includes(hidden)).toBe(false)
    // The signature or the end of a code alone would be enough to be worth something.
    expect(logged.includes(hidden.slice(-20))).toBe(false)
  }
})

test('the settings of the shell relay are shown without its secret', async () => {
  const secret = 'printed-by-settings-command-0123456789'
  const program = new ChildProgram(shellCommand('v0.2.2', 'settings'), {
    SHELLRELAY_AUDIENCE: 'http://127.0.0.1',
    SHELLRELAY_URL: 'ws://127.0.0.1',
    SHELLRELAY_SECRET: secret,
  })

  expect((await program.whenExited(startWithinMs))?.code).toBe(0)
  expect(program.stdout).toContain('(set)')
  expect(program.stdout + program.stderr).not.toContain(secret)
})

/** The status with which a websocket is refused. */
async function statusOf(uri: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const socket = new WebSocket(uri)
    socket.once('open', () => reject(new Error('it was let in')))
    socket.once('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode)
    })
    socket.once('error', reject)
  })
}
