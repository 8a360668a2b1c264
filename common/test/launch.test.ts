import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { Child, type ChildOptions } from './child.ts'

/** The Node of this machine, where it is an old one: what a user has who never installed another. */
const oldNodes = ['/usr/bin/node', '/usr/local/bin/node'].filter((path) => {
  try {
    return Number.parseInt(execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }), 10) < 24
  } catch {
    return false
  }
})

/** This Node, pretending to be an old one, so that the way through a child is tested on every machine. */
const pretend =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})'

const ways: readonly (readonly [string, ChildOptions])[] = [
  ['Node 24 itself', {}],
  ['a Node that says it is 20', { nodeArguments: ['--import', pretend] }],
  ...oldNodes.map((node) => [`the old Node at ${node}`, { node }] as const),
]

describe.each(ways)('launched by %s', { concurrent: true }, (_name, options) => {
  test('a program gets its arguments, and its faults and exit code come through', async () => {
    await using child = new Child('launched.mjs', ['conifg'], options)
    expect(await child.ended).toEqual({
      code: 64,
      signal: null,
      out: '',
      err: 'sample: there is no command "conifg"; did you mean "config"?\nSee "sample --help".\n',
    })
  })

  test('an order to the launcher alone drains the program', async () => {
    await using child = new Child('launched.mjs', ['wait'], options)
    await child.says('ready')

    child.process.kill('SIGTERM')
    expect(await child.ended).toEqual({
      code: 0,
      signal: null,
      out: 'ready\ndraining after SIGTERM\ndrained\n',
      err: '',
    })
  })

  test('Ctrl-C, which a terminal sends to launcher and program both, drains it too', async () => {
    await using child = new Child('launched.mjs', ['wait'], { ...options, detached: true })
    await child.says('ready')

    process.kill(-(child.process.pid ?? NaN), 'SIGINT')
    expect(await child.ended).toEqual({
      code: 0,
      signal: null,
      out: 'ready\ndraining after SIGINT\ndrained\n',
      err: '',
    })
  })
})

test('a launcher that is killed takes its program along', async () => {
  await using child = new Child('launched.mjs', ['wait'], { nodeArguments: ['--import', pretend] })
  await child.says('ready')

  child.process.kill('SIGKILL')
  // Output ends only when the program behind the launcher has ended too.
  expect(await child.ended).toMatchObject({
    signal: 'SIGKILL',
    out: 'ready\ndraining after launcher gone\ndrained\n',
  })
})

describe('without the pinned Node', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'relay-launch-'))
  afterAll(() => rmSync(elsewhere, { recursive: true }))

  test('an old Node says what to do and ends with 69', async () => {
    const from = fileURLToPath(new URL('../launch/launch.mjs', import.meta.url))
    const program = fileURLToPath(new URL('programs/launched.mjs', import.meta.url))
    cpSync(from, join(elsewhere, 'launch/launch.mjs'))
    cpSync(program, join(elsewhere, 'test/programs/launched.mjs'))
    await using child = new Child(join(elsewhere, 'test/programs/launched.mjs'), ['code'], {
      nodeArguments: ['--import', pretend],
    })

    expect(await child.ended).toEqual({
      code: 69,
      signal: null,
      out: '',
      err: 'Node 24 is needed and this is 20.1.0; run "npm ci" in the checkout, it brings its own\n',
    })
  })
})
