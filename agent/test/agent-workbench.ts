import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentProcess, type ProcessOptions } from './agent-process.ts'

/** A folder and agent processes for one test, all gone after `tidyUp`. */
export class AgentWorkbench {
  readonly directory = mkdtempSync(join(tmpdir(), 'agent-'))
  readonly #cleanUps: (() => PromiseLike<void> | void)[] = []

  file(name: string): string {
    return join(this.directory, name)
  }

  write(name: string, text: string): string {
    writeFileSync(this.file(name), text)
    return this.file(name)
  }

  start(options: ProcessOptions): AgentProcess {
    const agent = new AgentProcess(options)
    this.later(async () => {
      agent.child.kill('SIGKILL')
      await agent.exitCode()
    })
    return agent
  }

  async run(options: ProcessOptions) {
    const agent = this.start(options)
    const code = await agent.exitCode()
    return { code, stdout: agent.stdout, stderr: agent.stderr }
  }

  /** Done by `tidyUp`, the last one first. */
  later(cleanUp: () => PromiseLike<void> | void): void {
    this.#cleanUps.push(cleanUp)
  }

  async tidyUp(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).toReversed()) await cleanUp()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
