import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

test('a tool that the system cannot start, for want of descriptors or memory, harms nobody', async () => {
  const script = join(import.meta.dirname, 'fixtures/no-descriptors.ts')

  const { stdout } = await run('sh', ['-c', 'ulimit -n 64; exec "$0" "$1"', process.execPath, script])

  expect(stdout).toBe('not started, not started')
}, 60_000)
