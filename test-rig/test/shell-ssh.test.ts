import { mkdir, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FreePorts } from '../src/golden/free-ports.ts'
import { measured } from '../src/rig/measured.ts'
import { until } from '../src/rig/until.ts'
import { EchoSshd } from '../src/shell/echo-sshd.ts'
import { proxyCommand } from '../src/shell/proxy-command.ts'
import { sha256Of, writeRandomFile } from '../src/shell/random-file.ts'
import { type Finished, runProgram } from '../src/shell/run-program.ts'
import { ShellRelayProgram, startClient, startHost } from '../src/shell/shell-programs.ts'
import { SshDialogue } from '../src/shell/ssh-dialogue.ts'
import { SshLab, type SshRoute } from '../src/shell/ssh-lab.ts'
import { TunnelTalk } from '../src/shell/tunnel-talk.ts'

const gibibyte = 1024 ** 3
const id = 'pend00'
/** The relay pings old ends every 54 s; two of those, and a moment. */
const idleMs = 112_000
const awayMs = 60_000
const slowMs = 600_000

/** Real sshd and real ssh programs; relay, host and client of ours between them, each a process of its own. */
describe('ssh through the tunnel', () => {
  const stack = new AsyncDisposableStack()
  let lab: SshLab
  let relay: ShellRelayProgram
  let port: SshRoute
  let command: SshRoute
  let idle: SshDialogue
  let idleSinceMs = 0
  let patient: SshDialogue
  let relayIsBack: Promise<ShellRelayProgram>

  beforeAll(async () => {
    lab = stack.use(await SshLab.start())
    relay = stack.use(await ShellRelayProgram.start())
    stack.use(startHost({ relay, id, sshdPort: lab.sshdPort }))
    const client = stack.use(await startClient({ relay, id }))
    port = { kind: 'port', port: client.port }
    command = { kind: 'command', command: await proxyCommand({ relay, id, directory: lab.directory }) }
    await until('a login works', async () => (await lab.ssh(port, 'true', { timeoutMs: 20_000 })).code === 0)
    idle = stack.use(new SshDialogue(lab, port))
    await idle.ask()
    idleSinceMs = performance.now()

    const killed = stack.use(await ShellRelayProgram.start())
    stack.use(startHost({ relay: killed, id, sshdPort: lab.sshdPort }))
    const other = stack.use(await startClient({ relay: killed, id }))
    patient = stack.use(new SshDialogue(lab, { kind: 'port', port: other.port }))
    await patient.ask()
    killed.program.signal('SIGKILL')
    const { ports, secret } = killed
    const leaving = new AbortController()
    relayIsBack = sleep(awayMs, undefined, { signal: leaving.signal }).then(() =>
      ShellRelayProgram.start({ ports, secret }),
    )
    stack.defer(async () => {
      leaving.abort()
      const [back] = await Promise.allSettled([relayIsBack])
      if (back.status === 'fulfilled') await back.value[Symbol.asyncDispose]()
    })
  }, slowMs)
  afterAll(() => stack.disposeAsync())

  test('logs in, runs a command, and carries its exit status and both outputs', async () => {
    for (const route of [port, command]) {
      const done = await lab.ssh(route, 'echo out; echo err >&2; exit 7')
      expect(done).toMatchObject({ code: 7, stdout: 'out\n', stderr: 'err\n' })
    }
  })

  test('carries the end of standard input, and all before it', async () => {
    const text = 'a line that goes there and back\n'.repeat(100_000)
    for (const route of [port, command]) {
      const done = await lab.ssh(route, 'cat; echo end', { input: text })
      expect(done.stdout === `${text}end\n`).toBe(true)
    }
  })

  test('copies 1 GiB with scp and sftp, both ways', { timeout: slowMs }, async () => {
    const source = lab.path('source')
    const sum = await writeRandomFile(source, gibibyte)
    const there = lab.path('there')
    const back = lab.path('back')
    const fast = ['-c', 'aes128-gcm@openssh.com', ...lab.options(port)]
    const copies: readonly (readonly [string, string, readonly string[], string])[] = [
      ['scp up', 'scp', [...fast, source, `${lab.target(port)}:${there}`], there],
      ['scp down', 'scp', [...fast, `${lab.target(port)}:${there}`, back], back],
      ['sftp up', 'sftp', [...fast, '-b', '-', lab.target(port)], there],
      ['sftp down', 'sftp', [...fast, '-b', '-', lab.target(port)], back],
    ]
    for (const [what, program, words, result] of copies) {
      const input = what === 'sftp up' ? `put ${source} ${there}\n` : `get ${there} ${back}\n`
      await rm(result, { force: true })
      const done = await runProgram(program, words, program === 'sftp' ? { input } : {})
      expect(failureOf(done)).toBe('')
      measured(`shell, ${what} of 1 GiB`, `${(gibibyte / 1e3 / done.tookMs).toFixed(0)} MB/s`)
      expect(await sha256Of(result)).toBe(sum)
    }
  })

  test('keeps a folder the same with rsync', async () => {
    const folder = lab.path('folder')
    await mkdir(folder)
    for (let index = 0; index < 300; index += 1)
      await writeFile(`${folder}/${String(index)}`, `file ${String(index)}\n`.repeat(index))
    const shell = ['ssh', ...lab.options(command)].map(quote).join(' ')
    const copy = () =>
      runProgram('rsync', [
        '-a',
        '--delete',
        '-e',
        shell,
        `${folder}/`,
        `${lab.target(command)}:${folder}-copy/`,
      ])
    expect(failureOf(await copy())).toBe('')
    await rm(`${folder}/7`)
    await writeFile(`${folder}/8`, 'changed\n')
    expect(failureOf(await copy())).toBe('')
    expect(await runProgram('diff', ['-r', folder, `${folder}-copy`])).toMatchObject({ code: 0, stdout: '' })
  })

  test('forwards ports both ways', async () => {
    await using echo = await EchoSshd.start()
    const ports = new FreePorts()
    for (const letter of ['L', 'R']) {
      const forwarded = await ports.next()
      const words = ['-N', `-${letter}`, `127.0.0.1:${String(forwarded)}:127.0.0.1:${String(echo.port)}`]
      const ssh = lab.startSsh(port, ['-o', 'ExitOnForwardFailure=yes', ...words])
      try {
        await ssh.whenListening([forwarded], 30_000)
        using talk = await TunnelTalk.open(forwarded)
        await talk.read(EchoSshd.banner.length)
        await talk.echo({ blocks: 50, blockBytes: 200_000, seed: 5 })
      } finally {
        await ssh.stop()
      }
    }
    expect(echo.accepted).toBeGreaterThanOrEqual(2)
  })

  test('serves fifty sessions at once, and mixes none up', { timeout: slowMs }, async () => {
    const numbers = Array.from({ length: 50 }, (_unused, index) => index)
    const all = await Promise.all(
      numbers.map((number) =>
        lab.ssh(
          number % 5 === 0 ? command : port,
          `sleep 3; seq ${String(number * 100)} | tail -1; exit ${String(number)}`,
          {
            timeoutMs: slowMs,
          },
        ),
      ),
    )
    expect(all.map(({ code, stdout }) => [code, stdout])).toEqual(
      numbers.map((number) => [number, number === 0 ? '' : `${String(number * 100)}\n`]),
    )
  })

  test('is good for ansible', { timeout: slowMs }, async () => {
    await writeFile(lab.path('inventory'), `${id} ansible_user=${lab.user}\n`)
    const done = await runProgram('ansible', ['all', '-i', lab.path('inventory'), '-m', 'ping'], {
      env: {
        HOME: lab.directory,
        ANSIBLE_LOCAL_TEMP: lab.path('ansible'),
        ANSIBLE_REMOTE_TEMP: lab.path('ansible-there'),
        ANSIBLE_SSH_ARGS: lab.options(command).map(quote).join(' '),
        ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
      },
      timeoutMs: slowMs,
    })
    expect(failureOf(done)).toBe('')
    expect(done.stdout).toContain('"ping": "pong"')
  })

  test('leaves nothing open when sessions are over', async () => {
    await until('sshd serves the two that stay', async () => (await sshdSessions(lab)) <= 2, {
      withinMs: 60_000,
    })
    expect([idle.hasEnded, patient.hasEnded]).toEqual([false, false])
  })

  // The last ones: they began first, and waited while the others ran.
  test('a session lives on when its relay was away for 60 s', { timeout: slowMs }, async () => {
    await relayIsBack

    await expect(patient.ask(awayMs)).resolves.toBeUndefined()
  })

  test('an idle session lives over two ping periods', { timeout: slowMs }, async () => {
    await sleep(Math.max(0, idleMs - (performance.now() - idleSinceMs)))
    await expect(idle.ask()).resolves.toBeUndefined()
  })
})

async function sshdSessions(lab: SshLab): Promise<number> {
  const { stdout } = await runProgram('ps', ['-o', 'pid=', '--ppid', String(lab.sshd.pid)])
  return stdout.split('\n').filter((line) => line.trim() !== '').length
}

function failureOf({ code, stdout, stderr }: Finished): string {
  return code === 0 ? '' : `code ${String(code)}: ${stderr || stdout}`
}

function quote(word: string): string {
  // Ansible takes the quotes off a text that begins and ends with one.
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", `'\\''`)}'`
}
