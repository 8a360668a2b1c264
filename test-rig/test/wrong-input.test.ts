import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ChildProgram } from '../src/golden/child-program.ts'

const checkout = join(import.meta.dirname, '..', '..')
const programs = {
  relay: 'relay/bin/relay.mjs',
  session: 'relay/bin/session.mjs',
  shell: 'shell/bin/shell.mjs',
  jump: 'shell/bin/jump.mjs',
  'relay-agent': 'agent/bin/relay-agent.mjs',
  lab: 'test-rig/src/lab/main.ts',
  instrument: 'test-rig/src/instrument/main.ts',
  golden: 'test-rig/src/golden/main.ts',
  bench: 'test-rig/bench/main.ts',
  soak: 'test-rig/soak/main.ts',
} as const

interface WrongInput {
  readonly run: string
  readonly env?: Readonly<Record<string, string>>
  readonly exit: number
  readonly says: RegExp
}

const serving = {
  RELAY_AUDIENCE: 'http://127.0.0.1:1',
  RELAY_URL: 'ws://127.0.0.1:2',
  RELAY_SECRET: 'a secret of the test that is long enough',
  RELAY_PORT_ACCESS: '0',
  RELAY_PORT_RELAY: '0',
}

const servingShell = {
  SHELLRELAY_AUDIENCE: 'http://127.0.0.1:1',
  SHELLRELAY_URL: 'ws://127.0.0.1:2',
  SHELLRELAY_SECRET: serving.RELAY_SECRET,
  SHELLRELAY_ACCESS_PORT: '0',
  SHELLRELAY_RELAY_PORT: '0',
}

const oldJump = {
  JUMP_RELAY_AUDIENCE: 'x',
  JUMP_RELAY_URL: 'ws://x',
  JUMP_RELAY_SECRET: serving.RELAY_SECRET,
}

const connectTo = 'shell connect spin30 --token-file DIR/other.token --wait 1ms --session '

/** The token of a client for an access API; nobody has signed it. */
function tokenFor(audience: string): string {
  const claims = { topic: 'spin30', prefix: 'shell', scopes: ['client'], aud: audience }
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
}

/**
 * `DIR` in a command line stands for a folder with the files written below; `PORT` for a port that is taken, and `MUTE` for
 * the same, where somebody answers who is no web server.
 */
const cases: readonly WrongInput[] = [
  { run: 'relay', exit: 64, says: /command/ },
  { run: 'relay sevre', exit: 64, says: /serve/ },
  { run: 'relay serve --audiense x', exit: 64, says: /audiense/ },
  { run: 'relay serve --access-port', exit: 64, says: /access-port/ },
  {
    run: 'relay serve',
    env: { ...serving, RELAY_PORT_ACCESS: '99999' },
    exit: 78,
    says: /RELAY_PORT_ACCESS.*99999/,
  },
  {
    run: 'relay serve',
    env: { ...serving, RELAY_STATS_EVERY: 'soon' },
    exit: 78,
    says: /RELAY_STATS_EVERY.*soon/,
  },
  { run: 'relay serve', env: { ...serving, RELAY_PORT_ACCESS: 'PORT' }, exit: 69, says: /port \d+ .*in use/ },
  { run: 'relay serve', env: { ...serving, RELAY_PORT_RELAY: 'PORT' }, exit: 69, says: /port \d+ .*in use/ },
  { run: 'relay serve --config DIR/none.yaml', env: serving, exit: 78, says: /none\.yaml/ },
  { run: 'relay serve --config DIR/wrong.yaml', env: serving, exit: 78, says: /wrong\.yaml line 2: acess/ },
  {
    run: 'relay serve --secret-files DIR/none',
    env: { ...serving, RELAY_SECRET: '' },
    exit: 78,
    says: /none/,
  },
  { run: 'relay serve --key-directory DIR/none', env: serving, exit: 78, says: /none/ },
  {
    run: 'session relay',
    env: { RELAY_ACCESSPORT: '0', RELAY_RELAYPORT: '0' },
    exit: 78,
    says: /RELAY_SECRET|secret/,
  },
  { run: 'session jump', exit: 64, says: /jump/ },
  { run: 'session token', exit: 1, says: /ACCESSTOKEN_LIFETIME not set/ },
  { run: 'relay token', exit: 1, says: /RELAY_TOKEN_AUDIENCE not set/ },
  { run: 'relay deny', exit: 64, says: /bid|positional/i },
  { run: 'relay deny b --exp yesterday --secret-file DIR/secret', exit: 64, says: /yesterday/ },
  { run: 'relay deny b --exp 2h --secret-file DIR/none', exit: 78, says: /none/ },
  {
    run: 'relay deny b --exp 2h --secret-file DIR/secret --access http://127.0.0.1:1',
    exit: 69,
    says: /127\.0\.0\.1:1/,
  },
  { run: 'relay status --secret-file DIR/secret --access nonsense', exit: 78, says: /nonsense/ },
  { run: 'relay cat', exit: 64, says: /address|session/i },
  { run: 'relay cat http://127.0.0.1:1/session/x --token-file DIR/none', exit: 78, says: /none/ },
  { run: 'relay cat http://127.0.0.1:1/session/x --play DIR/wrong.play --check', exit: 1, says: /line 2/ },
  { run: 'shell', exit: 64, says: /command is missing.*connect.*serve/ },
  { run: 'shell sevre', exit: 64, says: /serve/ },
  { run: 'shell serve --audiense x', exit: 64, says: /--audience/ },
  { run: 'shell serve', exit: 78, says: /audience[^]*url[^]*SHELLRELAY_SECRET/ },
  {
    run: 'shell serve',
    env: { ...servingShell, SHELLRELAY_ACCESS_PORT: '99999' },
    exit: 78,
    says: /SHELLRELAY_ACCESS_PORT.*99999/,
  },
  {
    run: 'shell serve',
    env: { ...servingShell, SHELLRELAY_ACCESS_PORT: 'PORT' },
    exit: 69,
    says: /port \d+ .*in use/,
  },
  { run: 'shell serve --config DIR/none.yaml', env: servingShell, exit: 78, says: /none\.yaml/ },
  { run: 'shell serve --config DIR/wrong.yaml', env: servingShell, exit: 78, says: /line 2: acess/ },
  { run: 'shell serve --key-directory DIR/none', env: servingShell, exit: 78, says: /none/ },
  {
    run: 'shell serve --secret-files DIR/none',
    env: { ...servingShell, SHELLRELAY_SECRET: '' },
    exit: 78,
    says: /none/,
  },
  { run: 'shell relay', exit: 1, says: /SHELLRELAY_SECRET not set/ },
  { run: 'jump relay', exit: 1, says: /You must set JUMP_RELAY_AUDIENCE/ },
  {
    run: 'jump relay',
    env: {
      JUMP_RELAY_AUDIENCE: 'x',
      JUMP_RELAY_URL: 'ws://x',
      JUMP_RELAY_SECRET: serving.RELAY_SECRET,
      JUMP_RELAY_STATS_EVERY: 'soon',
    },
    exit: 78,
    says: /JUMP_RELAY_STATS_EVERY.*soon/,
  },
  { run: 'jump pipe', exit: 64, says: /argument is missing: jump pipe <way>/ },
  { run: 'jump pipe sideways', exit: 64, says: /original, copy, develop/ },
  { run: 'shell settings --config DIR/wrong.yaml', env: servingShell, exit: 78, says: /line 2: acess/ },
  { run: 'shell token', exit: 1, says: /SHELLTOKEN_LIFETIME not set/ },
  { run: 'jump token', exit: 1, says: /JUMP_TOKEN_LIFETIME not set/ },
  { run: 'shell token --role king', exit: 64, says: /king.*host, client/ },
  { run: 'shell token --role host --lifetime 1h --secret-file DIR/none', exit: 78, says: /none/ },
  { run: 'shell deny', exit: 64, says: /argument is missing/ },
  { run: 'shell deny b --exp yesterday --secret-file DIR/secret', exit: 64, says: /yesterday/ },
  {
    run: 'shell allow b --exp 2h --secret-file DIR/secret --access http://127.0.0.1:1',
    exit: 69,
    says: /127\.0\.0\.1:1/,
  },
  { run: 'shell host', exit: 1, says: /SHELLHOST_RELAYSESSION not set/ },
  { run: 'jump host', exit: 1, says: /JUMP_HOST_ACCESS not set/ },
  { run: 'shell client', exit: 1, says: /SHELLCLIENT_RELAYSESSION not set/ },
  { run: 'jump client', exit: 1, says: /JUMP_CLIENT_RELAY_SESSION not set/ },
  { run: 'shell client pend00 --token-file DIR/none', exit: 78, says: /none/ },
  { run: 'shell host --frobnicate', exit: 64, says: /frobnicate/ },
  { run: 'shell connect', exit: 64, says: /argument is missing: shell connect <id>/ },
  { run: 'shell connect pend00 --token-file DIR/none', exit: 78, says: /none/ },
  { run: 'shell connect pend00 --token-file DIR/none --wait soon', exit: 78, says: /wait.*soon/ },
  { run: 'jump client --token-file DIR/none', exit: 78, says: /none/ },
  { run: 'shell --frobnicate serve', exit: 64, says: /a command comes first, and --frobnicate behind it/ },
  { run: 'shell relay --log', exit: 64, says: /--log needs a value/ },
  { run: 'jump --dev=perhaps relay', exit: 64, says: /--dev: "perhaps" is not true or false/ },
  {
    run: 'jump relay',
    env: { ...oldJump, JUMP_RELAY_LOG_LEVEL: 'loud' },
    exit: 78,
    says: /JUMP_RELAY_LOG_LEVEL: "loud" is not one of/,
  },
  { run: 'jump relay', env: { ...oldJump, JUMP_RELAY_PORT_ACCESS: 'PORT' }, exit: 1, says: /in use/ },
  { run: 'shell host --config DIR/list.yaml', exit: 78, says: /list\.yaml: it must be a set of/ },
  { run: 'shell host --config DIR', exit: 78, says: /cannot be read/ },
  { run: 'shell host --session nonsense --token-file x', exit: 78, says: /session: it is no http/ },
  { run: 'shell host --session http://127.0.0.1:1/shell/a', exit: 78, says: /tokenFile: it is missing/ },
  {
    run: 'shell host',
    env: {
      SHELLHOST_RELAYSESSION: 'http://127.0.0.1:1/shell/a',
      SHELLHOST_TOKEN: `${serving.RELAY_SECRET} x`,
    },
    exit: 78,
    says: /token: what stands in the environment is not one token/,
  },
  { run: 'shell connect ../x', exit: 78, says: /"..\/x" is no id/ },
  { run: 'shell connect pend00 --token-file DIR', exit: 78, says: /cannot be read/ },
  { run: 'shell connect pend00 --token-file DIR/secret', exit: 78, says: /is not one token on one line/ },
  {
    run: 'shell connect pend00 --token-file DIR/other.token',
    exit: 78,
    says: /token is for "spin30", not for "pend00"/,
  },
  {
    run: 'shell connect spin30 --token-file DIR/other.token',
    exit: 78,
    says: /address that the token gives is wrong.*--session/,
  },
  {
    run: `${connectTo}http://u:${serving.RELAY_SECRET.replaceAll(' ', '')}@127.0.0.1:1/shell/spin30`,
    exit: 78,
    says: /only a token lets in/,
  },
  { run: `${connectTo}http://127.0.0.1:1/shell/spin30`, exit: 22, says: /127\.0\.0\.1:1 cannot be reached/ },
  {
    run: `${connectTo}http://127.0.0.1:MUTE/shell/spin30`,
    exit: 22,
    says: /what answers there does not speak HTTP/,
  },
  {
    run: `${connectTo}https://127.0.0.1:MUTE/shell/spin30`,
    exit: 22,
    says: /there is no TLS as it should be/,
  },
  {
    run: 'shell client --token-file DIR/other.token --local-port 99999',
    exit: 78,
    says: /--local-port: 99999/,
  },
  { run: 'shell config --tokens DIR/none', exit: 1, says: /there is no token in/ },
  { run: 'shell config --tokens DIR/secret', exit: 78, says: /folder of tokens .* cannot be read/ },
  { run: 'shell config --tokens DIR --device-keys DIR', exit: 64, says: /with --write only/ },
  { run: 'shell config --tokens DIR --user a"b', exit: 64, says: /--user: it holds a quote/ },
  {
    run: 'shell config --tokens DIR/tokens --write /proc/none',
    exit: 1,
    says: /cannot be written into \/proc\/none/,
  },
  {
    run: 'shell status --token-file DIR/other.token',
    exit: 78,
    says: /token is for "spin30", not for "stats"/,
  },
  { run: 'relay-agent', exit: 64, says: /command/ },
  { run: 'relay-agent run --config DIR/none.yaml', exit: 78, says: /none\.yaml/ },
  {
    run: 'relay-agent check --config DIR/agent.yaml',
    exit: 78,
    says: /line 2.*camras.*cameras[^]*line 4.*prest/,
  },
  { run: 'relay-agent run --frobnicate', exit: 64, says: /frobnicate/ },
  { run: 'relay-agent doctor --frobnicate', exit: 64, says: /frobnicate/ },
  { run: 'relay-agent doctor --config DIR/none.yaml', exit: 1, says: /none\.yaml/ },
  {
    run: 'relay-agent doctor --config DIR/agent.yaml --bundle DIR/secret',
    exit: 69,
    says: /line 2.*camras[^]*secret exists and is not overwritten/,
  },
  { run: 'relay-agent import DIR/none --output DIR/made/agent.yaml', exit: 69, says: /nothing in .*none/ },
  { run: 'relay-agent import DIR --dry-rum', exit: 64, says: /dry-run/ },
  { run: 'session host', env: { VW_PORT: 'many' }, exit: 78, says: /VW_PORT/ },
  { run: 'lab --camera /dev/none', exit: 64, says: /\/dev\/none/ },
  { run: 'lab --kind rocket', exit: 64, says: /rocket|pendulum/ },
  { run: 'lab --port many', exit: 64, says: /port/ },
  { run: 'instrument --kind rocket', exit: 64, says: /rocket|pendulum/ },
  { run: 'golden --case', exit: 64, says: /case/ },
  { run: 'bench --frobnicate', exit: 64, says: /frobnicate/ },
  { run: 'soak --hours soon', exit: 64, says: /--hours/ },
  { run: 'soak --hours 0', exit: 64, says: /no time/ },
  { run: 'soak --only earthquake', exit: 64, says: /earthquake.*relay-kill/ },
]

describe('wrong input gets one clear sentence and the right exit code:', () => {
  let directory: string
  let takenPort: number
  const taken = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end('SSH-2.0-none\r\n'))
  })
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'relay-wrong-'))
    await writeFile(join(directory, 'secret'), 'a secret of the test that is long enough\n')
    await writeFile(join(directory, 'wrong.yaml'), 'audience: x\nacess:\n  port: 3\n')
    await writeFile(join(directory, 'list.yaml'), '- a\n')
    await writeFile(join(directory, 'other.token'), tokenFor('nonsense'))
    await mkdir(join(directory, 'tokens'))
    await writeFile(join(directory, 'tokens', 'spin30.token'), tokenFor('http://127.0.0.1:1'))
    await writeFile(join(directory, 'wrong.play'), '[1s] {"a":1}\n[soon] {"a":2}\n')
    await writeFile(
      join(directory, 'agent.yaml'),
      'name: x\ncamras: []\ncameras:\n  - { name: a, prest: custom }\nrelay: { access: http://127.0.0.1:1 }\n',
    )
    takenPort = await new Promise((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port))
    })
  })
  afterAll(async () => {
    taken.close()
    await rm(directory, { recursive: true, force: true })
  })

  test.concurrent.each(cases)('$run', async ({ run, env = {}, exit, says }) => {
    const [name, ...args] = fill(run).split(' ')
    const program = new ChildProgram(
      [process.execPath, join(checkout, programs[name as keyof typeof programs]), ...args],
      Object.fromEntries(Object.entries(env).map(([key, value]) => [key, fill(value)])),
    )

    const ended = await program.whenExited(30_000)
    await program.stop()

    const said = `${program.stdout}${program.stderr}`
    expect(said).toMatch(says)
    expect(said).not.toMatch(/\n {4}at /)
    expect(said).not.toContain(serving.RELAY_SECRET)
    expect(ended).toEqual({ code: exit, signal: null })
  })

  const fill = (text: string): string =>
    text
      .replaceAll('DIR', directory)
      .replace('MUTE', String(takenPort))
      .replace(/^PORT$/, String(takenPort))
})
