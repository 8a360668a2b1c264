import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, existsSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

/**
 * A serial port whose board is played by the test: a pty made by socat. Unplugging ends socat, so that the kernel hangs
 * up, as it does when a USB plug is pulled; the name goes as well.
 */
export class PtyPair {
  /** What the agent opens. */
  readonly device: string
  #socat: ChildProcessWithoutNullStreams | undefined
  /** Keeps the port usable while the agent has it closed: socat ends when nobody has it open. */
  #heldOpen: number | undefined
  /** Everything that the board has got. */
  received = ''

  constructor(directory: string) {
    this.device = join(directory, 'tty-board')
  }

  async plug(): Promise<void> {
    const socat = spawn('socat', [`PTY,link=${this.device},raw,echo=0`, 'STDIO'])
    this.#socat = socat
    socat.stdout.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1')
    })
    socat.stdin.on('error', () => undefined)
    await eventually(() => existsSync(this.device))
    this.#heldOpen = openSync(this.device, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  }

  /** The board says something. */
  say(text: string | Buffer): void {
    this.#socat?.stdin.write(text)
  }

  /** The cable takes bytes no more, as by flow control: what is written stays in the buffers of the kernel. */
  stopCarrying(): void {
    this.#socat?.kill('SIGSTOP')
  }

  async unplug(): Promise<void> {
    const socat = this.#socat
    if (socat === undefined) return
    this.#socat = undefined
    const gone = once(socat, 'exit')
    socat.kill('SIGKILL')
    await gone
    rmSync(this.device, { force: true })
    if (this.#heldOpen !== undefined) closeSync(this.#heldOpen)
  }
}
