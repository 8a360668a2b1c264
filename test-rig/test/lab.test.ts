import { errorCode } from '@relay/common/errors'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listen } from '@relay/common/listen'
import { exchangeToken } from '@relay/common/exchange-token'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Stream } from '../src/lab/lab-streams.ts'
import { whyNoSshd } from '../src/lab/sshd-part.ts'
import { until } from '../src/rig/until.ts'
import { runProgram } from '../src/shell/run-program.ts'

const main = join(import.meta.dirname, '..', 'src', 'lab', 'main.ts')
const running: RunningLab[] = []
const folders: string[] = []

/** A laboratory in a temporary folder of its own; all it starts carries a mark in its environment. */
class RunningLab {
  readonly child: ChildProcess
  readonly folder: string
  readonly #mark = randomUUID()
  #output = ''
  #errors = ''

  private constructor(folder: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.folder = folder
    this.child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, TMPDIR: folder, LAB_TEST_MARK: this.#mark, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', (bytes: Buffer) => {
      this.#output += bytes.toString('utf8')
    })
    this.child.stderr?.on('data', (bytes: Buffer) => {
      this.#errors += bytes.toString('utf8')
    })
    running.push(this)
  }

  static async start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<RunningLab> {
    return new RunningLab(await mkdtemp(join(tmpdir(), 'lab-test-')), args, env)
  }

  get output(): string {
    return this.#output
  }

  get errors(): string {
    return this.#errors
  }

  /** The address it prints when everything works. */
  async address(): Promise<string> {
    return await until('the address', () => /^Open (http:\/\/\S+)$/m.exec(this.#output)?.[1], {
      withinMs: 90_000,
    })
  }

  /** Every process that it started, directly or not, and that still lives; it itself is not among them. */
  processes(): readonly { readonly pid: number; readonly command: string }[] {
    return readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== this.child.pid)
      .flatMap((name) => {
        try {
          const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0')
          if (!environment.includes(`LAB_TEST_MARK=${this.#mark}`)) return []
          const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
          return [{ pid: Number(name), command }]
        } catch {
          return []
        }
      })
  }

  process(pattern: RegExp): number | undefined {
    return this.processes().find(({ command }) => pattern.test(command))?.pid
  }

  async exitCode(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit')
    return this.child.exitCode
  }

  async release(): Promise<void> {
    this.child.kill('SIGKILL')
    for (const { pid } of this.processes()) killIfThere(pid)
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** A process of the list may have ended by itself in the meantime. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}

afterEach(async () => {
  // The newest first: one may have its folder in that of an older one.
  for (const lab of running.splice(0).toReversed()) await lab.release()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

/** What `/` hands over to a person. */
async function streamsAt(address: string): Promise<readonly Stream[]> {
  const response = await fetch(address, { redirect: 'manual' })
  const location = response.headers.get('location') ?? ''
  const fragment = new URLSearchParams(location.split('#')[1])
  return JSON.parse(fragment.get('streams') ?? '[]') as readonly Stream[]
}

/** Everything that comes on a topic, as text. */
async function joinStream(
  stream: Stream | undefined,
): Promise<{ readonly socket: WebSocket; readonly text: () => string }> {
  const { url, token } = stream as Stream
  const socket = new WebSocket(await exchangeToken({ access: url, token, timeoutMs: 10_000 }))
  let text = ''
  socket.on('message', (data: Buffer) => {
    text += data.toString('latin1')
  })
  await once(socket, 'open')
  return { socket, text: () => text }
}

describe('the laboratory', () => {
  test('prints one address, serves page, video and data there, obeys commands, and leaves nothing at Ctrl-C', async () => {
    const lab = await RunningLab.start(['--port', '0'])
    const address = await lab.address()

    const page = await fetch(new URL('/lab.html', address))
    expect(page.status).toBe(200)
    const script = /src="([^"]+\.js)"/.exec(await page.text())?.[1] ?? ''
    expect((await fetch(new URL(script, new URL('/lab.html', address)))).headers.get('content-type')).toMatch(
      /javascript/,
    )
    const redirect = await fetch(address, { redirect: 'manual' })
    expect(redirect.status).toBe(302)
    expect(redirect.headers.get('location')).toMatch(/^\/lab\.html#streams=.*&exp=[0-9]+$/)
    expect(redirect.headers.get('cache-control')).toBe('no-store')

    const streams = await streamsAt(address)
    const video = await joinStream(streams.find((stream) => stream.for === 'video'))
    const data = await joinStream(streams.find((stream) => stream.for === 'data'))
    await until('video', () => video.text().length > 20_000)
    expect(video.text()[0]).toBe('G')
    data.socket.send('{"cmd":"set","param":"target","value":-1}')
    await until('the instrument at its new target', () =>
      /"angle":-(0\.9|1\.0)\d*,.*"target":-1,/.test(data.text()),
    )
    video.socket.terminate()
    data.socket.terminate()

    expect(lab.output.match(/http:\/\//g)).toHaveLength(1)
    expect(lab.process(/ffmpeg/)).toBeDefined()
    expect(lab.process(/socat/)).toBeDefined()
    lab.child.kill('SIGINT')
    expect(await lab.exitCode()).toBe(0)
    expect(lab.processes()).toEqual([])
    expect(readdirSync(lab.folder)).toEqual([])
    expect(lab.errors).toBe('')
  })

  test('a part that is killed comes back by itself, and a line says so', async () => {
    const lab = await RunningLab.start(['--port', '0', '--kind', 'motor'])
    const address = await lab.address()
    const patterns = [/relay\.mjs serve/, /relay-agent\.mjs run/, /instrument\/main\.ts/, /socat/, /ffmpeg/]

    for (const pattern of patterns) {
      const pid = await until(`${pattern.source} to kill`, () => lab.process(pattern))
      process.kill(pid, 'SIGKILL')
      await until(`${pattern.source} again`, () => {
        const again = lab.process(pattern)
        return again !== undefined && again !== pid
      })
    }
    const data = await until('data again', async () => {
      const joined = await joinStream((await streamsAt(address)).find((stream) => stream.for === 'data'))
      const isThere = await until('a message', () => joined.text().includes('"position"'), { withinMs: 5000 })
      joined.socket.terminate()
      return isThere
    })

    expect(data).toBe(true)
    for (const name of ['relay', 'agent', 'instrument'])
      expect(lab.output).toContain(`${name} ended by SIGKILL`)
    expect(lab.output).toContain('serial cable: socat has ended')
  })

  test('even when it is killed itself nothing goes on running, and the next one removes its folder', async () => {
    const killed = await RunningLab.start(['--port', '0'])
    await killed.address()
    expect(killed.processes().length).toBeGreaterThanOrEqual(5)

    killed.child.kill('SIGKILL')
    await until('all gone', () => killed.processes().length === 0, { withinMs: 15_000 }).catch(
      () => undefined,
    )
    expect(killed.processes()).toEqual([])
    expect(readdirSync(killed.folder)).toHaveLength(1)
    const next = await RunningLab.start(['--port', '0'], { TMPDIR: killed.folder })
    await next.address()

    expect(
      readdirSync(killed.folder).filter((name) => name.includes(`-${String(killed.child.pid)}-`)),
    ).toEqual([])
  })

  test('the secret is in a folder that nobody else can read, and in no argument and no line', async () => {
    const lab = await RunningLab.start(['--port', '0'])
    await lab.address()

    const folder = join(lab.folder, readdirSync(lab.folder)[0] ?? '')
    const secret = readFileSync(join(folder, 'secret'), 'utf8').trim()

    expect(statSync(folder).mode & 0o077).toBe(0)
    expect(statSync(join(folder, 'secret')).mode & 0o077).toBe(0)
    expect(secret.length).toBeGreaterThanOrEqual(64)
    expect(
      lab
        .processes()
        .map(({ command }) => command)
        .join('\n'),
    ).not.toMatch(new RegExp(`${secret}|eyJ`))
    expect(lab.output).not.toMatch(new RegExp(`${secret}|eyJ`))
  })

  test('a page asked for under a foreign name is refused, so that no stranger gets tokens', async () => {
    const lab = await RunningLab.start(['--port', '0'])
    const { port } = new URL(await lab.address())

    const { status, headers } = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' })
    const foreign = await rawGet(Number(port), 'evil.example')

    expect(status).toBe(302)
    expect(headers.get('location')).toContain('streams=')
    expect(foreign).toMatch(/^HTTP\/1\.1 421 /)
    expect(foreign).not.toContain('streams=')
  })
})

/** Processes with the folder of a laboratory on their command line: an sshd shows nothing of its environment. */
function namersOf(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return command.includes(folder) ? [command] : []
      } catch {
        return []
      }
    })
}

const whyNot = whyNoSshd()

describe.skipIf(whyNot !== undefined)(
  `ssh to the laboratory${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`,
  () => {
    test('logs in by the line that is printed, and ends with the laboratory', async () => {
      const lab = await RunningLab.start(['--port', '0'])
      const line = await until('the line', () => /^ssh: (ssh -F \S+ lab)$/m.exec(lab.output)?.[1], {
        withinMs: 90_000,
      })
      const [command = '', ...words] = line.split(' ')

      const { code, stdout } = await runProgram(command, [...words, 'echo $((6 * 7)); exit 3'])

      expect({ code, stdout }).toEqual({ code: 3, stdout: '42\n' })
      const config = words[1] ?? ''
      expect(readFileSync(join(config, '..', 'relay', 'known_hosts'), 'utf8')).toMatch(
        /^lab ssh-ed25519 \S+$/m,
      )
      expect(namersOf(lab.folder).some((process) => process.includes('sshd'))).toBe(true)
      lab.child.kill('SIGINT')
      expect(await lab.exitCode()).toBe(0)
      expect(namersOf(lab.folder)).toEqual([])
      expect(readdirSync(lab.folder)).toEqual([])
    })

    test('ends even when the laboratory is killed', async () => {
      const lab = await RunningLab.start(['--port', '0'])
      await until('sshd', () => namersOf(lab.folder).some((process) => process.includes('sshd')), {
        withinMs: 90_000,
      })

      lab.child.kill('SIGKILL')

      await expect.poll(() => namersOf(lab.folder), { timeout: 15_000 }).toEqual([])
    })

    test('is left out where that is asked for', async () => {
      const lab = await RunningLab.start(['--port', '0', '--no-ssh'])
      await lab.address()

      expect(lab.output).not.toContain('ssh')
      expect(namersOf(lab.folder).filter((process) => /sshd|shell\.mjs/.test(process))).toEqual([])
    })
  },
)

describe('what it is given', () => {
  test.each([
    [['--camera', '/dev/no-such-camera'], /--camera \/dev\/no-such-camera: there is no such camera/],
    [['--serial', '/dev/no-such-port'], /--serial \/dev\/no-such-port: there is no such serial port/],
    [['--kind', 'rocket'], /kind/],
    [['--port', '70000'], /--port must be a number from 0 to 65535/],
    [['--port', '1.5'], /--port must be a whole number/],
    [['--camera', ''], /--camera/],
    [['--colour', 'red'], /colour/],
    [['extra'], /extra/],
  ])('%j is refused in one sentence with exit code 64, and nothing is started', async (args, sentence) => {
    const lab = await RunningLab.start(args)

    expect(await lab.exitCode()).toBe(64)
    expect(lab.errors).toMatch(sentence)
    expect(
      lab.errors
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('See ')),
    ).toHaveLength(1)
    expect(lab.output).toBe('')
    expect(readdirSync(lab.folder)).toEqual([])
  })

  test('a port that is in use is named when it was asked for', async () => {
    const server = createServer()
    const port = await listen(server, { port: 0, host: '127.0.0.1', what: 'a test' })
    const lab = await RunningLab.start(['--port', String(port)])

    expect(await lab.exitCode()).toBe(69)
    server.close()
    expect(lab.errors).toContain(`port ${port} is in use by another program: give another with --port`)
    expect(lab.processes()).toEqual([])
    expect(readdirSync(lab.folder)).toEqual([])
  })

  test('a machine without socat is told what to install, and nothing goes on running', async () => {
    const lab = await RunningLab.start(['--port', '0'], { PATH: await pathWithout('socat') })

    expect(await lab.exitCode()).toBe(69)
    expect(lab.errors).toContain('socat is not installed: run "sudo apt-get install socat"')
    expect(lab.processes()).toEqual([])
  })
})

/** A folder of links to the programs that are needed, but for one. */
async function pathWithout(missing: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lab-test-path-'))
  folders.push(folder)
  for (const name of ['setpriv', 'stty', 'ffmpeg', 'socat']) {
    const path = `/usr/bin/${name}`
    if (name !== missing && existsSync(path)) await symlink(path, join(folder, name))
  }
  return folder
}

async function rawGet(port: number, host: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}
