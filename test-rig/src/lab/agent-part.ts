import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { childEnvironment } from './child-environment.ts'
import { dataTopic, videoTopic } from './lab-streams.ts'
import type { LabTokens } from './lab-tokens.ts'
import type { AgentShell } from './lab-shell.ts'
import { OwnedProcess } from './owned-process.ts'
import type { Part } from './part.ts'
import { programPaths } from './program-paths.ts'

export interface AgentPartOptions {
  readonly directory: string
  readonly access: string
  readonly tokens: LabTokens
  /** Undefined: the test pattern. */
  readonly cameraDevice: string | undefined
  readonly serialDevice: string
  readonly localApiPort: number
  /** Undefined: nobody comes by ssh. */
  readonly shell: AgentShell | undefined
  readonly nowMs: number
}

/** A laboratory that runs longer than a year must be started again. */
const agentLifetimeSec = 365 * 24 * 3600

/** The agent of the laboratory. Writes its configuration and tokens into `directory` and gives the part that runs it. */
export async function agentPart(options: AgentPartOptions): Promise<Part> {
  const { directory, tokens, nowMs } = options
  await mkdir(directory, { mode: 0o700 })
  const grants = [
    { topic: videoTopic, scopes: ['write'], file: 'video.token' },
    { topic: dataTopic, scopes: ['read', 'write'], file: 'data.token' },
  ]
  for (const { topic, scopes, file } of grants) {
    const token = await tokens.mint({ topic, scopes, lifetimeSec: agentLifetimeSec }, nowMs)
    await writeFile(join(directory, file), `${token}\n`, { mode: 0o600 })
  }
  if (options.shell !== undefined)
    await writeFile(join(directory, 'shell.token'), `${options.shell.token}\n`, { mode: 0o600 })
  const config = join(directory, 'agent.yaml')
  await writeFile(config, stringify(agentConfig(options)), { mode: 0o600 })
  return {
    name: 'agent',
    start: () =>
      OwnedProcess.start({
        name: 'agent',
        command: process.execPath,
        args: [programPaths.agent, 'run', '--config', config],
        env: childEnvironment(process.env),
      }),
    ready: () => Promise.resolve(),
  }
}

/** What stands in `agent.yaml`; the meaning of each key is in agent/README.md. Pure. */
export function agentConfig(options: AgentPartOptions): object {
  const { access, cameraDevice, serialDevice, localApiPort, shell } = options
  return {
    name: 'laboratory on this machine',
    relay: { access },
    localApi: { port: localApiPort },
    cameras: [
      cameraDevice === undefined
        ? { name: 'camera', feed: 'video', preset: 'test-pattern' }
        : { name: 'camera', feed: 'video', preset: 'mpeg1-compat', device: cameraDevice },
    ],
    instruments: [{ name: 'instrument', feed: 'data', device: serialDevice }],
    topics: [
      { topic: videoTopic, feed: 'video', tokenFile: 'video.token' },
      { topic: dataTopic, feed: 'data', tokenFile: 'data.token' },
    ],
    ...(shell === undefined ? {} : { shell: shellConfig(shell) }),
  }
}

function shellConfig({ session, sshdPort, hostKeyDirectory }: AgentShell): object {
  return {
    session,
    tokenFile: 'shell.token',
    sshd: { host: '127.0.0.1', port: sshdPort },
    hostKeys: { directory: hostKeyDirectory },
  }
}
