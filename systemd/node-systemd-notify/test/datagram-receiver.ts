import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { existsSync, readFileSync } from 'node:fs'

/** A real datagram socket in place of systemd's: gives the lines of what arrives. */
export interface DatagramReceiver extends AsyncDisposable {
  /** Resolves with everything so far as soon as some line is `line`. */
  heard(line: string | RegExp): Promise<readonly string[]>
  readonly lines: readonly string[]
  /** Reads nothing more until `resume`: messages stay in the socket until it is full. */
  pause(): void
  resume(): void
}

/** `address` as in `NOTIFY_SOCKET`: a path, or an abstract name behind an `@`. */
export async function receiveDatagrams(address: string): Promise<DatagramReceiver> {
  const socket = address.startsWith('@') ? `ABSTRACT-RECV:${address.slice(1)}` : `UNIX-RECV:${address}`
  const socat = spawn('socat', ['-u', socket, '-'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const lines: string[] = []
  const reader = createInterface(socat.stdout)
  reader.on('line', (line) => lines.push(line))
  await isBound(address, socat)
  return {
    lines,
    heard: async (wanted) => {
      const isWanted = (line: string): boolean =>
        typeof wanted === 'string' ? line === wanted : wanted.test(line)
      const deadline = AbortSignal.timeout(20_000)
      while (!lines.some(isWanted)) await once(reader, 'line', { signal: deadline })
      return lines
    },
    pause: () => void socat.kill('SIGSTOP'),
    resume: () => void socat.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      socat.kill('SIGKILL')
      if (socat.exitCode === null && socat.signalCode === null) await once(socat, 'exit')
    },
  }
}

/** A datagram socket says nothing when it is there; the kernel's list does. */
async function isBound(address: string, socat: ChildProcess): Promise<void> {
  const isThere = (): boolean =>
    address.startsWith('@')
      ? readFileSync('/proc/net/unix', 'utf8').includes(` ${address}\n`)
      : existsSync(address)
  while (!isThere()) {
    if (socat.exitCode !== null) throw new Error('socat ended')
    await sleep(5)
  }
}
