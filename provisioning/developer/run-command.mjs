import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root folder of this checkout. */
export const checkout = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** A command that ended with another exit code than 0. */
export class CommandFailed extends Error {
  constructor(what, exitCode) {
    super(`${what} ended with exit code ${exitCode}`)
    this.exitCode = exitCode
  }
}

/**
 * Runs a command in the checkout with our tools first in PATH and its output shown.
 * @throws {CommandFailed} when it ends with another code than 0 or cannot be started.
 */
export async function run(command, args, { what = command, env = {} } = {}) {
  const code = await exitCodeOf(command, args, env)
  if (code !== 0) throw new CommandFailed(what, code)
}

/**
 * As `run`, for commands that say much: shows a line now and then, and the end of the output only where it failed.
 * @throws {CommandFailed}
 */
export async function runQuietly(command, args, { what = command, env = {} } = {}) {
  const child = spawn(command, args, {
    cwd: checkout,
    stdio: ['inherit', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let output = ''
  const keep = (text) => {
    output = (output + text).slice(-8192)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const startedAt = Date.now()
  const progress = setInterval(() => {
    const lastLine = output.trimEnd().split('\n').at(-1) ?? ''
    console.log(`  ${what}, ${Math.round((Date.now() - startedAt) / 1000)} s: ${lastLine.slice(0, 100)}`)
  }, 5000)
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      keep(error.message)
      resolve(127)
    })
    child.on('close', (exitCode, signal) => resolve(exitCode ?? 128 + (constants.signals[signal] ?? 0)))
  })
  clearInterval(progress)
  if (code === 0) return
  console.error(output.trimEnd().split('\n').slice(-20).join('\n'))
  throw new CommandFailed(what, code)
}

/** Runs a command as `run` does and gives its exit code; 128 + n when signal n ended it. */
export function exitCodeOf(command, args, env = {}) {
  const path = `${join(checkout, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`
  const child = spawn(command, args, {
    cwd: checkout,
    stdio: 'inherit',
    env: { ...process.env, PATH: path, ...env },
  })
  // Ctrl-C reaches the child by itself, as it is in our process group; we only have to outlive it.
  const stayAlive = () => {}
  const passOn = () => child.kill('SIGTERM')
  process.on('SIGINT', stayAlive)
  process.on('SIGTERM', passOn)
  return new Promise((resolve) => {
    const done = (code) => {
      process.off('SIGINT', stayAlive)
      process.off('SIGTERM', passOn)
      resolve(code)
    }
    child.on('error', (error) => {
      console.error(`cannot run ${command}: ${error.message}`)
      done(127)
    })
    child.on('exit', (code, signal) => done(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}
