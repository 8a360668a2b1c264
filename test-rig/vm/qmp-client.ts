import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const answerWithinMs = 20_000

interface Answer {
  readonly return?: unknown
  readonly error?: { readonly desc: string }
  readonly event?: string
}

/**
 * The control socket of a qemu (QEMU Machine Protocol): one command at a time, each answered within 20 s.
 */
export class QmpClient implements Disposable {
  readonly #socket: Socket
  readonly #lines: AsyncIterator<string>

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  }

  static async connect(path: string): Promise<QmpClient> {
    const socket = connect(path)
    socket.on('error', () => undefined)
    await once(socket, 'connect', { signal: AbortSignal.timeout(answerWithinMs) })
    const client = new QmpClient(socket)
    await client.#next()
    await client.execute('qmp_capabilities')
    return client
  }

  /** @throws {Error} with the description of qemu. */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    for (;;) {
      const answer = await this.#next()
      if (answer.error !== undefined) throw new Error(`qemu refused ${command}: ${answer.error.desc}`)
      // Events come in between.
      if (answer.event === undefined) return answer.return
    }
  }

  async #next(): Promise<Answer> {
    const late = AbortSignal.timeout(answerWithinMs)
    const timedOut = once(late, 'abort').then(() => {
      throw new Error(`qemu did not answer within ${answerWithinMs} ms`)
    })
    const line = await Promise.race([this.#lines.next(), timedOut])
    if (line.done === true) throw new Error('qemu closed its control socket')
    return JSON.parse(line.value) as Answer
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
