import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const output = join(import.meta.dirname, '..', '..', '..', 'test-output')

/** Prints a measured figure among the test results and keeps it in `test-output/measured.txt`. No test depends on it. */
export function measured(what: string, figures: string): void {
  mkdirSync(output, { recursive: true })
  appendFileSync(join(output, 'measured.txt'), `${what}: ${figures}\n`)
  process.stdout.write(`measured: ${what}: ${figures}\n`)
}
