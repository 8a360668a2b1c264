import { spawn } from 'node:child_process'

export interface CommandOptions {
  /** Given to its stdin. */
  readonly input?: string
  readonly withinMs?: number
}

/** How a command ended, with all it said (the last 4 MB of it). */
export interface Outcome {
  /** 128 and more where a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const maxOutputChars = 4_000_000

/**
 * Runs a command of this machine to its end.
 * @throws {Error} with what it said where it does not end within `withinMs` (60 s), or cannot be started.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { input, withinMs = 60_000 }: CommandOptions = {},
): Promise<Outcome> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout = (stdout + text).slice(-maxOutputChars)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-maxOutputChars)
  })
  // A command that reads nothing may be gone before its input is.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      // Something that it started may hold its output open.
      child.stdout.destroy()
      child.stderr.destroy()
      reject(
        new Error(`${lineOf(command, args)} did not end within ${withinMs} ms; it said\n${stdout}${stderr}`),
      )
    }, withinMs)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? (signal === null ? 128 : 137), stdout, stderr })
    })
  })
}

/**
 * As `runCommand`, for a command that must work; gives its stdout without blanks around it.
 * @throws {Error} with all it said where it ends with another code than 0.
 */
export async function expectCommand(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, args, options)
  if (code !== 0) throw new Error(`${lineOf(command, args)} ended with ${code}; it said\n${stdout}${stderr}`)
  return stdout.trim()
}

function lineOf(command: string, args: readonly string[]): string {
  return [command, ...args].join(' ').slice(0, 500)
}
