import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { errorCode, UnavailableError } from '@relay/common/errors'

const sources = join(import.meta.dirname, 'native')
const flags = ['-O2', '-Wall', '-Wextra', '-D_GNU_SOURCE', '-pthread']
const loadSources = [
  'load.c',
  'options.c',
  'fan-out.c',
  'idle.c',
  'set-ups.c',
  'viewer.c',
  'client.c',
  'histogram.c',
  'machine.c',
]
const compileTimeoutMs = 120_000

/** The C programs of the benchmark, compiled into a temporary folder that goes with them. */
export class NativePrograms implements AsyncDisposable {
  /** The reference: raw TCP fan-out. */
  readonly rawfan: string
  /** Load generator and sink. */
  readonly load: string
  /** What the compiler warned of; empty as it should be. */
  readonly warnings: string
  readonly #directory: string

  private constructor(directory: string, warnings: string) {
    this.#directory = directory
    this.warnings = warnings
    this.rawfan = join(directory, 'rawfan')
    this.load = join(directory, 'load')
  }

  /**
   * Compiles.
   * @throws {UnavailableError} `GCC_MISSING`; `COMPILE_FAILED` with what the compiler said.
   */
  static async compile(): Promise<NativePrograms> {
    const directory = await mkdtemp(join(tmpdir(), 'relay-bench-'))
    const warnings = await Promise.all([
      compile(join(directory, 'rawfan'), ['rawfan.c']),
      compile(join(directory, 'load'), loadSources),
    ])
    return new NativePrograms(directory, warnings.join(''))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}

async function compile(output: string, files: readonly string[]): Promise<string> {
  const inputs = files.map((file) => join(sources, file))
  try {
    const { stderr } = await promisify(execFile)('gcc', [...flags, '-o', output, ...inputs], {
      timeout: compileTimeoutMs,
    })
    return stderr
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') {
      throw new UnavailableError(
        'GCC_MISSING',
        'gcc is not installed: run "sudo apt-get install gcc libc6-dev"',
      )
    }
    throw new UnavailableError('COMPILE_FAILED', `gcc cannot compile ${files[0]}`, { cause })
  }
}
