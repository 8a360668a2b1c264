import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Arguments, type Command, runProgram } from './command-line.ts'
import { AppError, ConfigError, UnavailableError, UsageError } from './errors.ts'

const token = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b3BpYyI6IjEyMyJ9.Zm9vYmFyYmF6cXV4'

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What the command that ran was given. */
  readonly args: Arguments | undefined
}

async function run(argv: readonly string[], command?: Command['run']): Promise<Outcome> {
  let args: Arguments | undefined
  const remember: Command['run'] = async (given, process) => {
    args = given
    return (await command?.(given, process)) ?? 0
  }
  const commands: readonly Command[] = [
    {
      usage: 'serve',
      description: 'serve the relay',
      options: {
        port: { type: 'string', requiresArg: true, describe: 'port to listen at' },
        'log-level': { type: 'string', requiresArg: true, choices: ['info', 'warn'] },
        dev: { type: 'boolean' },
      },
      run: remember,
    },
    {
      usage: 'deny <bid> [until]',
      description: 'deny a booking',
      options: { url: { type: 'string', demandOption: true } },
      run: remember,
    },
  ]
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const code = await runProgram(
    {
      name: 'relay',
      description: 'Carries sessions',
      version: '1.2.3',
      commands,
      epilogue: 'See the README.',
    },
    argv,
    { environment: {}, stdin: new PassThrough(), stdout, stderr, signal: new AbortController().signal },
  )
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString()
  return { code, out: text(stdout), err: text(stderr), args }
}

describe('a wrong command line gives one sentence, a hint and 64, and runs nothing:', () => {
  test.each<readonly [string, readonly string[], string]>([
    ['no command', [], 'a command is missing; there are serve, deny'],
    ['an unknown command', ['sevre'], 'there is no command "sevre"; did you mean "serve"?'],
    ['an unknown command like no other', ['fly'], 'there is no command "fly"; there are serve, deny'],
    ['only an option', ['--port', '5'], 'a command is missing'],
    ['an unknown option', ['serve', '--prot', '5'], 'there is no option --prot; did you mean --port?'],
    ['an unknown option with its value', ['serve', '--colour=red'], 'there is no option --colour'],
    ['an unknown short option', ['serve', '-x'], 'there is no option -x'],
    [
      'two unknown options',
      ['serve', '--one', '--two'],
      'there is no option --one; there is no option --two',
    ],
    ['an option without its value', ['serve', '--port'], '--port needs a value'],
    ['an option that eats the next', ['serve', '--port', '--dev'], '--port needs a value'],
    [
      'a value that is none of its choices',
      ['serve', '--log-level', 'loud'],
      '--log-level: "loud" is not one of "info", "warn"',
    ],
    ['a switch with a value', ['serve', '--dev=maybe'], '--dev: "maybe" is not true or false'],
    [
      'a negated option that has a value',
      ['serve', '--no-port'],
      '--port has a value, so --no-port means nothing',
    ],
    ['an unknown option in front', ['--colour', 'serve'], 'a command comes first, and --colour behind it'],
    [
      'an unknown option with its value in front',
      ['--colour=red', 'serve'],
      'a command comes first, and --colour behind it',
    ],
    ['a switch in front with a value', ['--dev=maybe', 'serve'], '--dev: "maybe" is not true or false'],
    ['an argument too many', ['serve', 'now'], '"now" is one argument too many'],
    ['an argument too few', ['deny', '--url', 'x'], 'an argument is missing: relay deny <bid> [until]'],
    ['an option that must be given', ['deny', 'b1'], '--url is missing'],
    ['the name of a built-in thing', ['serve', '--toString', '1'], 'there is no option --toString'],
  ])('%s', async (_name, argv, sentence) => {
    const { code, out, err, args } = await run(argv)

    expect(err).toBe(`relay: ${sentence}\nSee "relay --help".\n`)
    expect({ code, out, args }).toEqual({ code: 64, out: '', args: undefined })
  })

  test('a secret that was put there by mistake is not repeated', async () => {
    const { err } = await run(['serve', token])
    expect(err).toBe('relay: "(removed)" is one argument too many\nSee "relay --help".\n')
    expect((await run(['serve', `--token=${token}`])).err).not.toContain('eyJ')
  })
})

describe('arguments reach the command', () => {
  test.each<readonly [readonly string[], Record<string, unknown>]>([
    [['serve', '--port', '80', '--dev'], { port: '80', dev: true }],
    [['serve', '--port=80', '--no-dev'], { port: '80', dev: false }],
    [['serve', '--port', '1', '--port', '2'], { port: '2' }],
    [['serve', '--port='], { port: '' }],
    [['--port', '80', 'serve', '--dev'], { port: '80', dev: true }],
    [['--url=u', 'deny', '7'], { bid: '7', url: 'u' }],
    [['deny', '123', '--url', '5'], { bid: '123', url: '5' }],
    [['deny', '1e3', '0x10', '--url', 'u'], { bid: '1e3', until: '0x10' }],
    [['deny', '007', '--url', 'u'], { bid: '007' }],
    [['deny', 'a.b', '--url', 'u'], { bid: 'a.b' }],
  ])('%j', async (argv, expected) => {
    const { code, err, args } = await run(argv)

    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(args).toMatchObject(expected)
  })

  test('an absent option is absent, so that file and environment count', async () => {
    const { args } = await run(['serve'])
    expect(Object.keys(args ?? {}).sort()).toEqual(['$0', '_'])
  })
})

describe('help', () => {
  test.each([[['--help']], [['-h']], [['help']]])(
    '%j lists the commands, in English, and gives 0',
    async (argv) => {
      const { code, out, err } = await run(argv)

      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain('Carries sessions')
      expect(out).toMatch(
        /Commands:\n\s+relay serve\s+serve the relay\n\s+relay deny <bid> \[until\]\s+deny a booking/,
      )
      expect(out).toContain('Show help')
      expect(out).toContain('See the README.')
    },
  )

  test('of a command shows its options and runs nothing', async () => {
    const { code, out, args } = await run(['serve', '--help'])

    expect(code).toBe(0)
    expect(out).toMatch(/--port\s+port to listen at/)
    expect(args).toBeUndefined()
  })

  test.each([[['--version']], [['serve', '--version']]])('%j shows the version', async (argv) => {
    expect(await run(argv)).toMatchObject({ code: 0, out: '1.2.3\n', args: undefined })
  })
})

describe('what a command throws becomes one sentence and its exit code:', () => {
  test.each<readonly [string, unknown, number, string]>([
    [
      'wrong usage',
      new UsageError('give --port or --socket, not both'),
      64,
      'relay: give --port or --socket, not both\nSee "relay --help".\n',
    ],
    [
      'wrong configuration',
      new ConfigError('CONFIG_INVALID', 'the port is wrong'),
      78,
      'relay: the port is wrong\n',
    ],
    [
      'something is not there',
      new UnavailableError('PORT_IN_USE', 'the port is in use'),
      69,
      'relay: the port is in use\n',
    ],
    [
      'any other fault of ours',
      new AppError('X', 'it failed', { cause: new Error('reset by peer') }),
      1,
      'relay: it failed: reset by peer\n',
    ],
    ['a secret in the text', new AppError('X', `refused ${token}`), 1, 'relay: refused (removed)\n'],
  ])('%s', async (_name, error, code, err) => {
    expect(await run(['serve'], () => Promise.reject(error as Error))).toMatchObject({ code, err, out: '' })
  })

  test.each<readonly [string, unknown]>([
    ['a bug', new TypeError('x is not a function')],
    ['the error of a system call', Object.assign(new Error('EACCES'), { code: 'EACCES' })],
    ['no error at all', 'a text'],
  ])('%s gives 70 and says that it is to be reported', async (_name, error) => {
    const { code, err } = await run(['serve'], () => Promise.reject(error))

    expect(code).toBe(70)
    expect(err).toMatch(/^relay: unexpected fault, please report it: /)
  })

  test('an exit code of its own is kept', async () => {
    expect((await run(['serve'], () => Promise.resolve(3))).code).toBe(3)
  })
})

test('any command line ends in 0 or 64, with at most one sentence', { timeout: 60_000 }, async () => {
  const word = fc.constantFrom(
    'serve',
    'deny',
    'help',
    '--port',
    '--port=1',
    '--dev',
    '--no-dev',
    '--dev=x',
    '--no-port',
    '-',
    '--',
    '---',
    '--=',
    '-p',
    '',
    ' ',
    '--help',
    '--url',
    'x',
    '1e3',
    '--log-level',
    '$0',
    '--__proto__',
    '--constructor=1',
    '-hx',
    '--no-',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(word, fc.string({ maxLength: 6 })), { maxLength: 5 }),
      async (argv) => {
        const { code, err } = await run(argv)
        expect([0, 64]).toContain(code)
        expect(err).toMatch(code === 0 ? /^$/ : /^relay: [^\n]+\nSee "relay --help".\n$/)
      },
    ),
    { numRuns: 150 },
  )
})
