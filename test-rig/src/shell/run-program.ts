import { spawn } from 'node:child_process'

/** How a program ended and what it wrote. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

export interface RunProgramOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** It is killed after so long; two minutes when absent. */
  readonly timeoutMs?: number
}

/** Runs a program to its end. Rejects only when it cannot be started; what code it ended with is for the caller to judge. */
export function runProgram(
  command: string,
  args: readonly string[],
  { input = '', env = {}, cwd, timeoutMs = 120_000 }: RunProgramOptions = {},
): Promise<Finished> {
  const startedAtMs = performance.now()
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(cwd === undefined ? {} : { cwd }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {}).end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr, tookMs: performance.now() - startedAtMs }))
  })
}
