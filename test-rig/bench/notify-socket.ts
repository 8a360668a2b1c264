import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { until } from '../src/rig/until.ts'

/** A socket as systemd gives one to services of `Type=notify`; socat reads it, as Node knows no unix datagrams. */
export class NotifySocket implements AsyncDisposable {
  readonly path: string
  readonly lines: { readonly text: string; readonly atMs: number }[] = []
  readonly #folder: string
  #socat: OwnedProcess | undefined

  private constructor(folder: string) {
    this.#folder = folder
    this.path = join(folder, 'notify')
  }

  static async open(): Promise<NotifySocket> {
    const socket = new NotifySocket(await mkdtemp(join(tmpdir(), 'relay-notify-')))
    socket.#socat = await OwnedProcess.start({
      name: 'notify socket',
      command: 'socat',
      args: ['-u', `UNIX-RECV:${socket.path}`, 'STDOUT'],
      onLine: (text) => socket.lines.push({ text, atMs: performance.now() }),
    })
    await until('the notify socket', () => existsSync(socket.path), { everyMs: 5 })
    return socket
  }

  /** When the service said that it is ready. */
  async ready(withinMs: number): Promise<number> {
    // What has no line end joins what comes next.
    const found = await until('READY=1', () => this.lines.find(({ text }) => text.includes('READY=1')), {
      withinMs,
      everyMs: 2,
    })
    return found.atMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socat?.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
