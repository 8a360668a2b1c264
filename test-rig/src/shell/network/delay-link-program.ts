import { join } from 'node:path'
import { UnavailableError } from '@relay/common/errors'
import { runProgram } from '../run-program.ts'

/**
 * Compiles the wire into `directory` and returns its path.
 * @throws {UnavailableError} `COMPILE_FAILED` with what the compiler said.
 */
export async function compileDelayLink(directory: string): Promise<string> {
  const output = join(directory, 'delay-link')
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE']
  const source = join(import.meta.dirname, 'delay-link.c')
  const { code, stderr } = await runProgram('gcc', [...flags, '-o', output, source])
  if (code !== 0) throw new UnavailableError('COMPILE_FAILED', `gcc cannot compile the wire: ${stderr}`)
  return output
}
