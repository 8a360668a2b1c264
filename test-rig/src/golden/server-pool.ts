import { ChildProgram, type ProgramExit, takesConnections } from './child-program.ts'
import type { FreePorts } from './free-ports.ts'
import type { GoldenCase, ProgramSpec } from './golden-case.ts'
import type { ProgramCommands, ServerRole } from './program-commands.ts'
import { loopback } from './raw-http.ts'
import { fillTemplate, type TemplateValues } from './template.ts'

/** The servers of one case, running. */
export interface RunningServers {
  /** Ports and addresses, by the names that cases use. */
  readonly values: TemplateValues
  isAlive(role: ServerRole): Promise<boolean>
  /** Sends the signal and waits for the end; undefined when it still runs after the time. */
  stop(role: ServerRole, options: StopOptions): Promise<ProgramExit | undefined>
  /** Gives the servers back. Each sentence returned is something wrong with how they ran or ended. */
  release(): Promise<readonly string[]>
}

export interface StopOptions {
  readonly signal: NodeJS.Signals
  readonly withinMs: number
}

/** Where a case gets its servers from: real programs, or a double in a test of the runner. */
export interface ServerSource {
  acquire(golden: GoldenCase, values: TemplateValues): Promise<RunningServers>
}

interface Started {
  readonly role: ServerRole
  readonly program: ChildProgram
  readonly ports: readonly number[]
  readonly values: TemplateValues
}

/** A cold start takes a second; on a machine that does much else, several. */
const startWithinMs = 30_000

/**
 * Starts the programs under test. Cases with the same environment share a process unless they ask for their own.
 * The pool owns every process; `stop` ends them all.
 */
export class ServerPool implements ServerSource {
  readonly #commands: ProgramCommands
  readonly #ports: FreePorts
  readonly #shared = new Map<string, Promise<Started>>()
  readonly #own = new Set<ChildProgram>()

  constructor({ commands, ports }: { readonly commands: ProgramCommands; readonly ports: FreePorts }) {
    this.#commands = commands
    this.#ports = ports
  }

  async acquire(golden: GoldenCase, values: TemplateValues): Promise<RunningServers> {
    const specs = (['relay', 'host'] as const).flatMap((role) => {
      const spec = golden.server[role]
      return spec === undefined ? [] : [{ role, spec }]
    })
    const isOwn = golden.server.fresh === true
    const starts = specs.map(({ role, spec }) => {
      const start = (): Promise<Started> => this.#start({ golden, role, spec, values })
      return isOwn ? start() : this.#share(JSON.stringify([golden.generation, role, spec.env]), start)
    })
    const settled = await Promise.allSettled(starts)
    const started = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed !== undefined) {
      if (isOwn) await Promise.all(started.map(({ program }) => this.#end(program)))
      throw failed.reason
    }
    return this.#hand(started, isOwn)
  }

  /** Ends every process that still runs. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#shared.values())
    this.#shared.clear()
    await Promise.all([...this.#own].map((program) => this.#end(program)))
  }

  #hand(started: readonly Started[], isOwn: boolean): RunningServers {
    const find = (role: ServerRole): Started | undefined => started.find((each) => each.role === role)
    const stopped = new Set<ChildProgram>()
    return {
      values: new Map(started.flatMap(({ values }) => [...values])),
      isAlive: async (role) => {
        const { program, ports } = find(role) ?? {}
        if (program === undefined || ports === undefined || program.exit !== undefined) return false
        return (await Promise.all(ports.map(takesConnections))).every(Boolean)
      },
      stop: (role, { signal, withinMs }) => {
        const program = find(role)?.program
        if (program === undefined) return Promise.resolve(undefined)
        stopped.add(program)
        program.signal(signal)
        return program.whenExited(withinMs)
      },
      release: async () => {
        const kept = started.filter(({ program }) => !stopped.has(program))
        const died = kept.filter(({ program }) => program.exit !== undefined)
        const problems = died.map(({ program }) => `died: ${program.describe()}`)
        if (!isOwn) return problems
        const ended = kept.filter(({ program }) => program.exit === undefined)
        const exits = await Promise.all(ended.map(({ program }) => this.#endAndExplain(program)))
        for (const { program } of started) await this.#end(program)
        return [...problems, ...exits.flat()]
      },
    }
  }

  async #share(key: string, start: () => Promise<Started>): Promise<Started> {
    const running = await this.#shared.get(key)?.catch(() => undefined)
    if (running !== undefined && running.program.exit === undefined) return running
    // While we waited, another case may have started it anew.
    const latest = this.#shared.get(key)
    const isReplaced = latest !== undefined && (await latest.catch(() => undefined)) !== running
    if (isReplaced) return latest
    const started = start()
    this.#shared.set(key, started)
    return started
  }

  async #start({ golden, role, spec, values }: StartOptions): Promise<Started> {
    const { ports, own } = await this.#allot(role)
    const known = new Map([...values, ...own])
    const env = Object.fromEntries(
      Object.entries(spec.env).map(([name, text]) => [name, fillTemplate(text, known)]),
    )
    const program = new ChildProgram(this.#commands(golden.generation, role), env)
    this.#own.add(program)
    try {
      await program.whenListening(ports, startWithinMs)
    } catch (error) {
      await this.#end(program)
      throw error
    }
    return { role, program, ports, values: own }
  }

  async #allot(
    role: ServerRole,
  ): Promise<{ readonly ports: readonly number[]; readonly own: TemplateValues }> {
    if (role === 'host') {
      const port = await this.#ports.next()
      const own = [
        ['hostPort', String(port)],
        ['host', `ws://${loopback}:${String(port)}`],
      ] as const
      return { ports: [port], own: new Map(own) }
    }
    const [access, relay] = [await this.#ports.next(), await this.#ports.next()]
    const own = [
      ['accessPort', String(access)],
      ['relayPort', String(relay)],
      ['access', `http://${loopback}:${String(access)}`],
      ['target', `ws://${loopback}:${String(relay)}`],
    ] as const
    return { ports: [access, relay], own: new Map(own) }
  }

  async #endAndExplain(program: ChildProgram): Promise<readonly string[]> {
    const { code } = await this.#end(program)
    return code === 0 ? [] : [`did not exit with 0 on SIGTERM: ${program.describe()}`]
  }

  async #end(program: ChildProgram): Promise<ProgramExit> {
    const exit = program.exit ?? (await program.stop())
    this.#own.delete(program)
    return exit
  }
}

interface StartOptions {
  readonly golden: GoldenCase
  readonly role: ServerRole
  readonly spec: ProgramSpec
  readonly values: TemplateValues
}
