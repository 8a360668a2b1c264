import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProgram } from '../golden/child-program.ts'

const tables = ['tcp', 'tcp6']
const listenState = '0A'
const askEveryMs = 25

/**
 * Waits until somebody listens on those ports in the network namespace of the program. It does not connect: for a shell
 * client each connection is a session.
 */
export async function whenListening(
  program: ChildProgram,
  ports: readonly number[],
  withinMs: number,
): Promise<void> {
  const giveUpAtMs = performance.now() + withinMs
  for (const port of ports) {
    while (!(await isListening(port, program.pid))) {
      if (program.exit !== undefined) throw new Error(`it ended before it listened; ${program.describe()}`)
      if (performance.now() > giveUpAtMs)
        throw new Error(`nothing listens on port ${String(port)}; ${program.describe()}`)
      await sleep(askEveryMs)
    }
  }
}

async function isListening(port: number, pid: number): Promise<boolean> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const texts = await Promise.all(
    tables.map((table) => readFile(`/proc/${String(pid)}/net/${table}`, 'utf8').catch(() => '')),
  )
  return texts.some((text) =>
    text.split('\n').some((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/)
      return state === listenState && local.endsWith(suffix)
    }),
  )
}
