import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ChildProgram } from '../src/golden/child-program.ts'

const main = fileURLToPath(new URL('../src/golden/main.ts', import.meta.url))

test.for([
  ['--nope', 64, 'golden: Unknown argument: nope'],
  ['--case zzz', 64, 'is selected; --list shows the names'],
  ['--against session', 64, 'golden: --against needs --generation'],
  ['--concurrency 0', 64, 'golden: --concurrency must be a whole number from 1 to 16'],
  ['--file nowhere.json', 64, 'golden: cannot read nowhere.json: '],
  ['--help', 0, 'only cases whose name contains this text'],
  ['--list --role token', 0, 'token: default claims'],
] as const)('the command line %s ends with %i and says why', async ([words, code, text]) => {
  const program = new ChildProgram([process.execPath, main, ...words.split(' ')], {})

  expect(await program.whenExited(20_000)).toStrictEqual({ code, signal: null })
  expect(program.stdout + program.stderr).toContain(text)
})

test('the command line replays against another command and lists what failed', async () => {
  const words = ['--case', 'token: default claims', '--generation', 'v0.2.2', '--against', 'echo']
  const program = new ChildProgram([process.execPath, main, ...words], {})

  expect(await program.whenExited(20_000)).toStrictEqual({ code: 1, signal: null })
  expect(program.stdout).toContain('FAIL token: default claims')
  expect(program.stdout).toContain('jwt: expected one token and a newline on stdout')
  expect(program.stdout).toContain('0 of 1 cases passed')
})
