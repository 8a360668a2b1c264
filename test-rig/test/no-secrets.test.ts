import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { FreePorts } from '../src/golden/free-ports.ts'
import { ChildProgram } from '../src/golden/child-program.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { programPaths } from '../src/lab/program-paths.ts'
import { RelayUnderTest } from '../src/rig/relay-under-test.ts'
import { askForAddress, TopicPeer } from '../src/rig/topic-peer.ts'
import { until } from '../src/rig/until.ts'

test('no token, code or secret reaches a log, at the finest level and in failure too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'relay-secrets-'))
  const logged: string[] = []
  await using relay = await RelayUnderTest.start({ RELAY_LOG_LEVEL: 'trace' }, (text) => logged.push(text))
  const hostToken = await relay.token('secret-data')
  const secrets = [relay.secret, hostToken]
  await writeFile(join(directory, 'data.token'), hostToken, { mode: 0o600 })
  await writeFile(join(directory, 'agent.yaml'), stringify(agentConfig(relay, await new FreePorts().next())))
  const agent = await OwnedProcess.start({
    name: 'agent',
    command: process.execPath,
    args: [programPaths.agent, 'run', '--config', join(directory, 'agent.yaml')],
    onLine: (line) => logged.push(line),
  })
  try {
    const token = await relay.token('secret-data')
    const uri = await askForAddress(relay.topic('secret-data'), token)
    secrets.push(token, codeOf(uri))
    await using peer = await TopicPeer.dial(uri)
    await expect(TopicPeer.dial(uri)).rejects.toThrow('401')
    await expect(askForAddress(relay.topic('another'), token)).rejects.toThrow('401')
    const damaged = `${token.slice(0, -6)}AAAAAA`
    secrets.push(damaged)
    await expect(askForAddress(relay.topic('secret-data'), damaged)).rejects.toThrow('401')
    await relay.admin('POST', `/bids/deny?bid=rig&exp=${Math.floor(Date.now() / 1000) + 60}`)
    await peer.closed()
    // The denied agent is refused as well and logs why.
    await until('a line of the agent about its refusal', () =>
      logged.some((line) => /refused|REFUSED/.test(line)),
    )
    secrets.push(...(await secretsOfPrintedConfig(directory)))
  } finally {
    await agent.stop(5000)
    await rm(directory, { recursive: true, force: true })
  }

  const all = logged.join('\n')
  expect(all.length).toBeGreaterThan(500)
  for (const secret of secrets) {
    expect(all.includes(secret)).toBe(false)
    // The signature or the end of a code alone would be enough to be worth something.
    expect(all.includes(secret.slice(-20))).toBe(false)
  }
})

/** Fails by itself where `relay config` prints a secret; gives what must not be in the log either. */
async function secretsOfPrintedConfig(directory: string): Promise<readonly string[]> {
  const secret = 'printed-by-config-command-0123456789'
  const program = new ChildProgram([process.execPath, programPaths.relay, 'config'], {
    RELAY_AUDIENCE: 'http://127.0.0.1',
    RELAY_URL: 'ws://127.0.0.1',
    RELAY_SECRET: secret,
    HOME: directory,
  })
  expect((await program.whenExited(20_000))?.code).toBe(0)
  expect(program.stdout).toContain('(set)')
  expect(program.stdout + program.stderr).not.toContain(secret)
  return [secret]
}

function agentConfig(relay: RelayUnderTest, localApiPort: number): object {
  return {
    relay: { access: relay.access },
    log: { level: 'trace' },
    localApi: { port: localApiPort },
    topics: [{ topic: 'secret-data', feed: 'data', tokenFile: 'data.token' }],
  }
}

function codeOf(uri: string): string {
  return new URL(uri).searchParams.get('code') ?? 'no code'
}
