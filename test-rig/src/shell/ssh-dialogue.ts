import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SshLab, SshRoute } from './ssh-lab.ts'

const patienceMs = 60_000
/** Gives back each line; what a person at a shell does, without a shell's prompts. */
const answerer = 'while read -r line; do echo "got $line"; done'

/** An ssh session that stays open, and answers. */
export class SshDialogue implements AsyncDisposable {
  readonly #child: ChildProcess
  #output = ''
  #errors = ''
  #asked = 0
  #hasEnded = false

  constructor(lab: SshLab, route: SshRoute) {
    const words = [...(route.within ?? []), 'ssh', ...lab.options(route), lab.target(route), answerer]
    this.#child = spawn(words[0] ?? '', words.slice(1), { stdio: 'pipe' })
    this.#child.stdout?.on('data', (text) => (this.#output += String(text)))
    this.#child.stderr?.on('data', (text) => (this.#errors += String(text)))
    this.#child.stdin?.on('error', () => {})
    this.#child.once('close', () => (this.#hasEnded = true))
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Says a line and waits until it comes back. Rejects when the session has ended or the time is over. */
  async ask(withinMs = patienceMs): Promise<void> {
    this.#asked += 1
    const answer = `got question ${String(this.#asked)}\n`
    this.#child.stdin?.write(`question ${String(this.#asked)}\n`)
    const giveUpAtMs = performance.now() + withinMs
    while (!this.#output.includes(answer)) {
      if (this.#hasEnded) throw new Error(`ssh has ended: ${this.#errors}`)
      if (performance.now() > giveUpAtMs) throw new Error(`no answer in time: ${this.#errors}`)
      await sleep(20)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}
