import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bundlePrograms } from '../../systemd/build/bundle-programs.ts'
import { collectPrebuilds } from '../../systemd/build/collect-prebuilds.ts'

const checkout = join(import.meta.dirname, '..', '..')

/**
 * Relay and agent as they are shipped: one bundle each, native add-ons beside them. Run from source a program also
 * holds the compiler that strips its types, some 50 MB which no installed one has.
 */
export class Bundles implements AsyncDisposable {
  readonly relay: string
  readonly agent: string
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
    this.relay = join(directory, 'lib', 'relay.mjs')
    this.agent = join(directory, 'lib', 'relay-agent.mjs')
  }

  static async build(): Promise<Bundles> {
    const parent = join(checkout, 'test-output')
    await mkdir(parent, { recursive: true })
    const directory = await mkdtemp(join(parent, 'bench-'))
    const programs = [
      { name: 'relay', entry: 'relay/src/main.ts' },
      { name: 'relay-agent', entry: 'agent/src/main.ts' },
    ]
    const cpu = process.arch === 'arm64' ? 'arm64' : 'x64'
    await bundlePrograms(programs, { checkout, directory })
    await collectPrebuilds({ checkout, directory, cpus: [cpu] })
    return new Bundles(directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}
