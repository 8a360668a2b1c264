import { mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { env as environment, execPath } from 'node:process'
import { aborted, systemClock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { childEnvironment } from './child-environment.ts'
import { freePorts } from './free-port.ts'
import { LabTokens } from './lab-tokens.ts'
import { OwnedProcess } from './owned-process.ts'
import { describeEnd, type Part } from './part.ts'
import { programPaths } from './program-paths.ts'
import { shellAccessAddress, shellRelayPart } from './shell-relay-part.ts'
import { hostKeyDirectory, sshdPart, userKeyFile } from './sshd-part.ts'
import { untilAnswers } from './until-answers.ts'

/** What the agent of the laboratory needs to be a shell host. */
export interface AgentShell {
  readonly session: string
  /** For the host. */
  readonly token: string
  readonly sshdPort: number
  readonly hostKeyDirectory: string
}

export interface LabShellOptions {
  /** Made by us; only we can read it. */
  readonly directory: string
  readonly secret: string
  readonly secretFile: string
  /** Resolves when the part works. */
  readonly startPart: (part: Part) => Promise<void>
}

const id = 'lab'
const lifetimeSec = 365 * 24 * 3600
const readyWithinMs = 60_000
const commandWithinMs = 60_000
const stopGraceMs = 2000

/**
 * ssh to this very machine as to a board far away: an sshd with throw-away keys, a shell relay, the agent as its host, and
 * what a person needs to type one line. All of it is for loopback and for who can read the folder of the laboratory.
 */
export class LabShell {
  readonly #directory: string
  readonly #access: string
  readonly #tokens: LabTokens

  private constructor(directory: string, access: string, tokens: LabTokens) {
    this.#directory = directory
    this.#access = access
    this.#tokens = tokens
  }

  /** Starts sshd and shell relay; gives what the agent needs. */
  static async start({
    directory,
    secret,
    secretFile,
    startPart,
  }: LabShellOptions): Promise<{ readonly shell: LabShell; readonly agent: AgentShell }> {
    await mkdir(directory, { mode: 0o700 })
    const [sshdPort = 0, accessPort = 0, relayPort = 0] = await freePorts(3, '127.0.0.1', Math.random)
    const ports = { accessPort, relayPort }
    const access = shellAccessAddress(ports)
    await startPart(await sshdPart({ directory, port: sshdPort }))
    await startPart(shellRelayPart({ ...ports, secretFile }))
    const shell = new LabShell(directory, access, new LabTokens(access, secret, 'shell'))
    const token = await shell.#token('host')
    const agent = { session: shell.#session, token, sshdPort, hostKeyDirectory: hostKeyDirectory(directory) }
    return { shell, agent }
  }

  /**
   * Once the agent has come: lets `shell config` write what ssh needs, and logs in with it. Gives the line to type.
   * @throws {AppError} `LOGIN_FAILED` with what ssh or `shell config` said.
   */
  async prepareLogin(signal: AbortSignal): Promise<string> {
    const tokens = join(this.#directory, 'tokens')
    await mkdir(tokens, { mode: 0o700 })
    const token = await this.#token('client')
    await writeFile(join(tokens, `${id}.token`), token, { mode: 0o600 })
    const soon = AbortSignal.any([signal, AbortSignal.timeout(readyWithinMs)])
    // The host keys come with the host.
    await untilAnswers(`${this.#session}/host-keys`, soon, { authorization: token })
    if (soon.aborted) throw new AppError('LOGIN_FAILED', 'the agent has not told the keys of sshd')
    // In an installation the command is `shell`; as words of ours its path may hold a blank.
    const launcher = join(this.#directory, 'shell')
    await writeFile(launcher, `exec '${execPath}' '${programPaths.shell}' "$@"\n`, { mode: 0o600 })
    const written = join(this.#directory, 'relay')
    const inWords = ['--command', `sh ${launcher}`, '--user', userInfo().username]
    const write = ['config', id, '--tokens', tokens, '--write', written, ...inWords]
    await this.#run(execPath, [programPaths.shell, ...write], signal)
    const config = join(this.#directory, 'config')
    const key = [`IdentityFile ${userKeyFile(this.#directory)}`, 'IdentitiesOnly yes']
    await writeFile(config, `Include ${join(written, 'config')}\n\nHost *\n  ${key.join('\n  ')}\n`)
    await this.#run('ssh', ['-F', config, '-o', 'BatchMode=yes', id, 'true'], signal)
    return `ssh -F ${config} ${id}`
  }

  get #session(): string {
    return `${this.#access}/shell/${id}`
  }

  async #token(scope: 'host' | 'client'): Promise<string> {
    return await this.#tokens.mint({ topic: id, scopes: [scope], lifetimeSec }, systemClock.nowMs())
  }

  /** To its end; what it has started has gone then, too. */
  async #run(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
    const name = command === 'ssh' ? 'ssh' : 'shell config'
    const process = await OwnedProcess.start({ name, command, args, env: childEnvironment(environment) })
    try {
      const soon = AbortSignal.any([signal, AbortSignal.timeout(commandWithinMs)])
      const end = await Promise.race([process.ended, aborted(soon)])
      if (end === undefined) throw new AppError('LOGIN_FAILED', `${name} did not end in time`)
      if (end.code === 0) return
      throw new AppError('LOGIN_FAILED', process.lastLines.at(-1) ?? `${name} ended ${describeEnd(end)}`)
    } finally {
      await process.stop(stopGraceMs)
    }
  }
}
