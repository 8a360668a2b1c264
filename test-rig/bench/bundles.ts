import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const checkout = join(import.meta.dirname, '..', '..')
const entries = { relay: 'relay/src/main.ts', agent: 'agent/src/main.ts' } as const

/**
 * Relay and agent as they are shipped: one bundle each. Run from source a program also holds the compiler that strips
 * its types, some 50 MB which no installed one has. Inside the checkout, so that the native add-on is found.
 */
export class Bundles implements AsyncDisposable {
  readonly relay: string
  readonly agent: string
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
    this.relay = join(directory, 'relay.mjs')
    this.agent = join(directory, 'agent.mjs')
  }

  static async build(): Promise<Bundles> {
    const parent = join(checkout, 'test-output')
    await mkdir(parent, { recursive: true })
    const bundles = new Bundles(await mkdtemp(join(parent, 'bench-')))
    await Promise.all([bundle(entries.relay, bundles.relay), bundle(entries.agent, bundles.agent)])
    return bundles
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}

async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [join(checkout, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: ['serialport'],
    // CommonJS packages inside an ES module ask for `require`; the name must not be one that a module may use itself.
    banner: {
      js: "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);",
    },
    logLevel: 'error',
  })
}
