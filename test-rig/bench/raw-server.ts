import { AppError } from '@relay/common/errors'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import type { ServerUnderTest } from './server-under-test.ts'

/** The reference: `rawfan`, raw TCP in C, one send per message and viewer. */
export class RawServer implements ServerUnderTest {
  readonly kind = 'raw'
  readonly proto = 'raw'
  readonly port: number
  readonly #process: OwnedProcess

  private constructor(process: OwnedProcess, port: number) {
    this.#process = process
    this.port = port
  }

  static async start(program: string): Promise<RawServer> {
    const said = Promise.withResolvers<string>()
    const process = await OwnedProcess.start({
      name: 'rawfan',
      command: program,
      args: [],
      onLine: (line) => said.resolve(line),
    })
    const line = await Promise.race([said.promise, process.ended.then(() => '{}')])
    const { port } = JSON.parse(line) as { readonly port?: number }
    if (port === undefined)
      throw new AppError('RAWFAN_FAILED', `rawfan ended: ${process.lastLines.join(' ')}`)
    return new RawServer(process, port)
  }

  get pid(): number {
    return this.#process.pid
  }

  async paths(): Promise<readonly string[]> {
    return []
  }

  async setUpLoad(): Promise<{
    readonly options: Readonly<Record<string, never>>
    readonly lines: readonly []
  }> {
    return { options: {}, lines: [] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill()
  }
}
