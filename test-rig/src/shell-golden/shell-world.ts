import { createServer, type Server } from 'node:net'
import { AppError } from '@relay/common/errors'
import type { ChildProgram } from '../golden/child-program.ts'
import { Mailbox } from '../golden/mailbox.ts'
import { loopback } from '../golden/raw-http.ts'
import { type CaseConnection, TcpConnection, WebsocketConnection } from './case-connection.ts'
import type { KeptValues } from './match-expected.ts'
import { ScriptedShellRelay } from './scripted-shell-relay.ts'
import type { ShellGeneration } from './shell-case.ts'

/** How long something that must come may take where a case names no time: long, for a machine that does much else. */
export const patienceMs = 15_000

/** What one case has at hand while it runs. It owns all of it. */
export class ShellWorld implements AsyncDisposable {
  readonly generation: ShellGeneration
  readonly values: KeptValues
  readonly marks = new Map<string, number>()
  readonly #connections = new Map<string, CaseConnection>()
  readonly #programs = new Map<string, ChildProgram>()
  readonly #listeners = new Map<string, { readonly server: Server; readonly taken: Mailbox<TcpConnection> }>()
  /** What a step read of a message and left. */
  readonly rests = new Map<CaseConnection, Buffer>()
  #fake: ScriptedShellRelay | undefined

  constructor(generation: ShellGeneration, values: KeptValues) {
    this.generation = generation
    this.values = values
  }

  connection(name: string): CaseConnection {
    return need(this.#connections.get(name), `no step opened ${name}`)
  }

  websocket(name: string): WebsocketConnection {
    const found = this.connection(name)
    return need(found instanceof WebsocketConnection ? found : undefined, `${name} is no websocket`)
  }

  addConnection(name: string, connection: CaseConnection): void {
    this.#connections.set(name, connection)
  }

  program(name: string): ChildProgram {
    return need(this.#programs.get(name), `no step started ${name}`)
  }

  addProgram(name: string, program: ChildProgram): void {
    this.#programs.set(name, program)
  }

  get fake(): ScriptedShellRelay {
    return need(this.#fake, 'no step started the scripted relay')
  }

  async startFake(): Promise<void> {
    this.#fake = new ScriptedShellRelay()
    await this.#fake.start(Number(need(this.values.get('fakePort'), 'no port for the scripted relay')))
  }

  async listen(name: string, port: number): Promise<void> {
    const taken = new Mailbox<TcpConnection>()
    const server = createServer({ allowHalfOpen: true }, (socket) => taken.put(new TcpConnection(socket)))
    const listening = Promise.withResolvers<void>()
    server.once('error', listening.reject).listen(port, loopback, listening.resolve)
    await listening.promise
    this.#listeners.set(name, { server, taken })
  }

  /** The next connection that a listener of the case accepted. */
  take(name: string, withinMs: number): Promise<TcpConnection | undefined> {
    return need(this.#listeners.get(name), `no step listens as ${name}`).taken.take(withinMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections.values()) connection.cut()
    for (const { server, taken } of this.#listeners.values()) {
      for (const connection of taken.drain()) connection.cut()
      server.close()
    }
    const running = [...this.#programs.values()].filter(({ exit }) => exit === undefined)
    await Promise.all(running.map((program) => program.stop()))
    await this.#fake?.stop()
  }
}

function need<T>(value: T | undefined, why: string): T {
  if (value === undefined) throw new AppError('GOLDEN_CASE', why)
  return value
}
