import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Child } from './child.ts'

const sample = fileURLToPath(new URL('programs/sample-program.ts', import.meta.url))

describe('a program', { concurrent: true }, () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('that gets %s drains and ends with 0', async (signal) => {
    await using child = new Child('sample-program.ts', ['wait'])
    await child.says('ready')

    child.process.kill(signal)
    expect(await child.ended).toEqual({
      code: 0,
      signal: null,
      out: `ready\ndraining after ${signal}\ndrained\n`,
      err: '',
    })
  })

  test('that gets the same order twice at once, from a terminal and from npm, drains all the same', async () => {
    await using child = new Child('sample-program.ts', ['wait'])
    await child.says('ready')

    child.process.kill('SIGINT')
    await child.says('draining')
    child.process.kill('SIGINT')
    expect(await child.ended).toMatchObject({ code: 0, out: 'ready\ndraining after SIGINT\ndrained\n' })
  })

  test('that does not end is ended by a second order a while later', async () => {
    await using child = new Child('sample-program.ts', ['hang'])
    await child.says('ready')

    child.process.kill('SIGINT')
    // There is nothing to wait for: the program is silent, and what counts is that time passes.
    const again = setInterval(() => child.process.kill('SIGTERM'), 100)
    const { code, signal } = await child.ended
    clearInterval(again)
    expect({ code, signal }).toEqual({ code: 1, signal: null })
  })

  test('gives the exit code of its command', async () => {
    await using child = new Child('sample-program.ts', ['code'])
    expect((await child.ended).code).toBe(3)
  })

  test.each([
    [['config'], 78, 'sample: the port is wrong\n'],
    [['conifg'], 64, 'sample: there is no command "conifg"; did you mean "config"?\nSee "sample --help".\n'],
    [[], 64, /^sample: a command is missing; there are wait, hang, .*\nSee "sample --help"\.\n$/],
  ])('%j ends with %i and one sentence on stderr', async (args, code, err) => {
    await using child = new Child('sample-program.ts', args)
    const ended = await child.ended

    expect(ended).toMatchObject({ code, out: '' })
    expect(ended.err).toMatch(err)
  })

  test('whose output nobody takes ends after an order to stop', async () => {
    await using child = new Child('sample-program.ts', ['big'])
    child.process.stdout?.pause()
    const exited = new Promise((resolve) => child.process.on('exit', (...how) => resolve(how)))
    await child.says('all is written')
    expect(child.process.exitCode).toBeNull()

    child.process.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    child.process.stdout?.resume()
  })

  test('writes all of a long answer before it ends', async () => {
    await using child = new Child('sample-program.ts', ['big'])
    const { code, out } = await child.ended

    expect(code).toBe(0)
    expect(out.length).toBe(1_000_000)
  })

  test.each([
    ['late-throw', 70, /^unexpected fault, please report it: TypeError: late and nobody caught it\n {4}at /],
    ['late-reject', 78, /^late: the port is wrong\n$/],
  ])('says what nobody caught: %s', async (command, code, err) => {
    await using child = new Child('sample-program.ts', [command])
    const ended = await child.ended

    expect(ended.code).toBe(code)
    expect(ended.err).toMatch(err)
  })

  test('whose start itself fails says so', async () => {
    await using child = new Child('failing-program.ts', [])
    const ended = await child.ended

    expect(ended.code).toBe(70)
    expect(ended.err).toMatch(/^unexpected fault, please report it: TypeError: nothing is as it should be/)
  })
})

describe('when its reader has left', { concurrent: true }, () => {
  test('a program that floods stops in good order', async () => {
    await using child = new Child('sample-program.ts', ['flood'])
    await child.says('line 0')

    child.process.stdout?.destroy()
    expect(await child.ended).toMatchObject({ code: 0, err: 'stopped\n' })
  })

  test('in a pipe of a shell, the first line comes and the program stops', async () => {
    const shell = spawn('/bin/sh', ['-c', '"$0" "$1" flood | head -n 1', process.execPath, sample])
    let out = ''
    let err = ''
    shell.stdout.on('data', (data: Buffer) => (out += data.toString()))
    shell.stderr.on('data', (data: Buffer) => (err += data.toString()))
    const code = await new Promise((resolve) => shell.on('close', resolve))

    expect({ code, out, err }).toEqual({ code: 0, out: 'line 0\n', err: 'stopped\n' })
  })

  test('of stderr, it goes on', async () => {
    await using child = new Child('sample-program.ts', ['wait'])
    await child.says('ready')

    child.process.stderr?.destroy()
    child.process.kill('SIGTERM')
    expect(await child.ended).toMatchObject({ code: 0, out: 'ready\ndraining after SIGTERM\ndrained\n' })
  })
})

test('the log of a real process holds no token', async () => {
  const token = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b3BpYyI6IjEyMyJ9.Zm9vYmFyYmF6cXV4'
  await using child = new Child('sample-program.ts', ['log'], { environment: { SAMPLE_TOKEN: token } })
  const { code, out } = await child.ended
  const lines = out.trimEnd().split('\n')

  expect(code).toBe(0)
  for (const part of token.split('.')) expect(out).not.toContain(part)
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'asked',
    'refused',
    'failed',
  ])
})

test('a reader that stalls stops no program: lines wait, some are lost, and their number is told', async () => {
  await using child = new Child('sample-program.ts', ['log-flood'])
  child.process.stdout?.pause()
  await child.says('still alive')

  child.process.stdout?.resume()
  await child.says('log lines were lost')
  child.process.kill('SIGTERM')
  const { code, out } = await child.ended
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly msg: string; readonly n?: number; readonly lines?: number })
  const numbers = lines.flatMap(({ n }) => (n === undefined ? [] : [n]))
  const lost = lines.find(({ msg }) => msg === 'log lines were lost, nobody read them')?.lines

  expect(code).toBe(0)
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  expect(numbers.length + (lost ?? 0)).toBe(20_000)
  expect(numbers.length).toBeGreaterThan(1000)
  expect(lines.at(-1)?.msg).toBe('the last line')
})

test('log lines that wait for their reader at the exit still reach it', async () => {
  await using child = new Child('sample-program.ts', ['log-and-exit'])
  const { code, out } = await child.ended

  expect(code).toBe(0)
  expect(out.trimEnd().split('\n')).toHaveLength(3000)
})
