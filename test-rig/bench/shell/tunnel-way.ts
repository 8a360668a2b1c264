import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { OwnedProcess } from '../../src/lab/owned-process.ts'
import { ShellRelayProgram, startClient, startHost } from '../../src/shell/shell-programs.ts'

/** A way to the far end, and the processes that work for it. */
export interface Way extends AsyncDisposable {
  /** Connect here. */
  readonly port: number
  readonly pids: readonly number[]
}

/** Stands for sshd: `d` makes it send without end, `u` makes it read, anything else comes back. */
export class FarEnd implements AsyncDisposable {
  readonly port: number
  readonly #close: () => Promise<void>
  /** Bytes that it has read. */
  readBytes = 0

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port
    this.#close = close
  }

  static async start(): Promise<FarEnd> {
    const sockets = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const end = new FarEnd((server.address() as AddressInfo).port, async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    })
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).once('close', () => sockets.delete(socket))
      socket.once('data', (first: Buffer) => end.#serve(socket, first))
    })
    return end
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  #serve(socket: Socket, first: Buffer): void {
    const mode = String.fromCharCode(first[0] ?? 0)
    socket.on('end', () => socket.end())
    if (mode === 'd') pour(socket)
    else if (mode === 'u') socket.on('data', (chunk: Buffer) => (this.readBytes += chunk.length))
    else {
      socket.write(first)
      socket.pipe(socket)
    }
  }
}

const piece = Buffer.alloc(64 * 1024, 'x')

function pour(socket: Socket): void {
  while (socket.writable && socket.write(piece));
  socket.once('drain', () => pour(socket))
}

/** Relay, host and client of ours, each a process of its own. */
export async function tunnelTo(farPort: number): Promise<Way> {
  await using stack = new AsyncDisposableStack()
  const env = { SHELLRELAY_ACCESS_SUBJECT_REQUESTS: '1000000' }
  const relay = stack.use(await ShellRelayProgram.start({ env }))
  const id = 'bench'
  const limits = { SHELL_HOST_LIMITS_SESSIONS_PER_SECOND: '10000', SHELL_HOST_LIMITS_SESSIONS: '1000' }
  const host = stack.use(startHost({ relay, id, sshdPort: farPort, env: limits }))
  const client = stack.use(await startClient({ relay, id }))
  const kept = stack.move()
  return {
    port: client.port,
    pids: [client, relay, host].map(({ program }) => program.pid),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Three plain hops of TCP, each a process of its own. */
export async function hopsTo(farPort: number): Promise<Way> {
  await using stack = new AsyncDisposableStack()
  const pids: number[] = []
  let port = farPort
  for (let hop = 0; hop < 3; hop += 1) {
    const listening = Promise.withResolvers<number>()
    const owned = await OwnedProcess.start({
      name: `hop ${String(hop)}`,
      command: process.execPath,
      args: [join(import.meta.dirname, 'tcp-hop.ts'), String(port)],
      onLine: (line) => listening.resolve(Number(line)),
    })
    stack.use(owned)
    port = await listening.promise
    pids.push(owned.pid)
  }
  const kept = stack.move()
  return { port, pids, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
